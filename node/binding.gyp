{
  "targets": [{
    "target_name": "eve",
    "sources": ["addon.cc"],
    "include_dirs": ["../include"],
    "libraries": ["<(module_root_dir)/../target/release/libeve.a"],
    "defines": ["NAPI_VERSION=8"],
    "cflags_cc": ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-fvisibility=hidden"],
    "xcode_settings": {"CLANG_CXX_LANGUAGE_STANDARD": "c++17", "MACOSX_DEPLOYMENT_TARGET": "11.0"},
    "conditions": [["OS=='linux'", {"libraries": ["-lpthread", "-ldl", "-lm"], "ldflags": ["-Wl,--exclude-libs,ALL"]}]]
  }]
}
