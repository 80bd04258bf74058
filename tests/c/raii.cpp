// eve.hpp: scopes, exceptions, values.
#include <eve.hpp>

#include <iostream>
#include <thread>

static void check(bool ok, const char* what) {
  if (!ok) {
    std::cerr << "raii: " << what << "\n";
    std::exit(1);
  }
}

int main(int, char** argv) {
  {
    eve::slab slab(argv[1]);
    slab.transact([](eve::txn& t) {
      auto token = t.token();
      auto m = t.empty_map();
      for (int i = 0; i < 1000; i++) m = t.assoc(m, t.string("city number " + std::to_string(i)), t.integer(i), token);
      t.set("geo/cities", m);
    });
    eve::snapshot before(slab);
    slab.transact([](eve::txn& t) {
      t.set("geo/cities", t.assoc(*t.get("geo/cities"), t.string("city number 7"), t.number(0.5)));
      t.set("geo/tags", t.conj_set(t.empty_set(), t.keyword("big")));
    });
    eve::snapshot after(slab);
    check(after.version() == before.version() + 1, "versions");
    check(before.atom("geo/cities")["city number 7"].as<int64_t>() == 7, "the old version is as it was");
    check(after.atom("geo/cities")["city number 7"].as<double>() == 0.5, "the new version has the change");
    check(after.atom("geo/cities").size() == 1000, "size");
    check(after.atom("geo/tags").str() == "#{:big}", "printing");
    check(!after.atom("geo/cities").find("nowhere"), "an absent key is nullopt");
    check(after.atom("no/atom").is_nil(), "an absent atom is nil");
    int64_t sum = 0;
    before.atom("geo/cities").each([&](eve::value k, eve::value v) {
      check(k.kind() == EVE_STRING, "keys are strings");
      sum += v.as<int>();
    });
    check(sum == 999 * 1000 / 2, "iteration meets every entry");
    check(before.atom("geo/cities") != after.atom("geo/cities"), "they differ");
    bool thrown = false;
    try {
      before.atom("geo/cities").as<int64_t>();
    } catch (const eve::error& e) {
      thrown = e.code() == EVE_E_TYPE;
    }
    check(thrown, "a wrong type is an exception");

    std::thread threads[4];
    for (auto& thread : threads) {
      thread = std::thread([&] {
        for (int i = 0; i < 500; i++) {
          slab.transact([](eve::txn& t) {
            auto n = t.get("n");
            t.set("n", t.integer(n ? n->as<int64_t>() + 1 : 1));
          });
        }
      });
    }
    for (auto& thread : threads) thread.join();
    check(eve::snapshot(slab).atom("n").as<int64_t>() == 2000, "no increment is lost");
  }
  {
    eve::slab again(argv[1]);
    check(eve::snapshot(again).atom("n").as<int64_t>() == 2000, "it is still there after a close");
  }
  try {
    eve::slab none("/no/such/folder/at.all");
    check(false, "opening must fail");
  } catch (const eve::error& e) {
    check(std::string(e.what()).find("/no/such/folder") != std::string::npos, "the error names the path");
  }
  return 0;
}
