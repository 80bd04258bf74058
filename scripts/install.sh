#!/bin/sh
# Installs the command, libraries, headers and pkg-config file: PREFIX=/usr/local LIBDIR=$PREFIX/lib DESTDIR= scripts/install.sh
# DESTDIR is put before every path (for packagers) and stands in no installed file.
set -eu
[ $# -eq 0 ] || { echo "install: takes no arguments; set PREFIX, LIBDIR, DESTDIR" >&2; exit 2; }
cd "$(dirname "$0")/.."
. scripts/lib.sh
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
destdir=${DESTDIR:-}
version=$(sed -n 's/^version *= *"\(.*\)"/\1/p' Cargo.toml | head -n 1)

lib=$destdir$libdir
include=$destdir$prefix/include
mkdir -p "$lib/pkgconfig" "$include" "$destdir$prefix/bin"
install -m 755 target/release/eve "$destdir$prefix/bin/"
install -m 644 include/eve.h include/eve_layout.h include/eve.hpp "$include/"
install -m 644 target/release/libeve.a "$lib/"
if [ -f target/release/libeve.dylib ]; then
  install -m 755 target/release/libeve.dylib "$lib/"
else
  # The loader looks for the soname in the library; the compiler for libeve.so.
  soname=$(readelf -d target/release/libeve.so | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
  install -m 755 target/release/libeve.so "$lib/libeve.so.$version"
  [ -z "$soname" ] || [ "$soname" = libeve.so ] || ln -sf "libeve.so.$version" "$lib/$soname"
  ln -sf "libeve.so.$version" "$lib/libeve.so"
fi
cat > "$lib/pkgconfig/eve.pc" <<PC
prefix=$prefix
libdir=$libdir
includedir=\${prefix}/include

Name: eve
Description: Persistent maps, vectors and sets in shared memory
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -leve
Libs.private: -lpthread -ldl -lm
PC
echo "installed eve $version in $destdir$prefix (libraries in $destdir$libdir)"
