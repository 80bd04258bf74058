// eve.hpp used wrongly, or in ways that look right: the value or an exception, never damage.
#include <eve.hpp>

#include <cstdlib>
#include <iostream>
#include <memory>

static void check(bool ok, const char* what) {
  if (!ok) {
    std::cerr << "misuse: " << what << "\n";
    std::exit(1);
  }
}

template <class F>
static void fails(eve_status code, F&& f, const char* what) {
  try {
    f();
  } catch (const eve::error& e) {
    if (e.code() == code) return;
    std::cerr << e.code() << " " << e.what() << "\n";
  }
  check(false, what);
}

static eve::value many(eve::txn& t, int n) {
  auto m = t.empty_map();
  auto token = t.token();
  for (int i = 0; i < n; i++) m = t.assoc(m, t.string("a rather long key, number " + std::to_string(i)), t.integer(i), token);
  return m;
}

static void values_of_old_versions(eve::slab& slab) {
  slab.transact([](eve::txn& t) { t.set("a", many(t, 100)); });
  std::string was;
  {
    eve::snapshot old(slab);
    was = old.atom("a").str();
    slab.transact([](eve::txn& t) { t.remove("a"); });  // the map is not in the current version any more
    slab.transact([&](eve::txn& t) {
      t.set("whole", old.atom("a"));
      t.set("part", t.assoc(t.empty_map(), t.keyword("in"), old.atom("a")));
      t.set("state", old.state());
    });
  }
  for (int i = 0; i < 3000; i++) slab.transact([&](eve::txn& t) { t.set("other", many(t, 10)); });
  eve::snapshot now(slab);
  check(now.atom("whole").str() == was, "a value of an old version is copied into the transaction");
  check(now.atom("part").keyword("in").str() == was, "as part of another too");
  check(now.atom("state").keyword("a").size() == 100, "and all atoms together");
}

static void foreign_values(eve::slab& slab) {
  auto other = eve::slab::anonymous();
  other.transact([](eve::txn& t) { t.set("a", many(t, 3)); });
  eve::snapshot there(other);
  slab.transact([&](eve::txn& t) { fails(EVE_E_ARG, [&] { t.set("b", there.atom("a")); }, "a value of another slab is refused"); });
  std::optional<eve::value> leaked;
  slab.transact([&](eve::txn& t) { leaked = t.string("made by a transaction that has ended"); });
  slab.transact([&](eve::txn& t) {
    fails(EVE_E_ARG, [&] { t.set("b", *leaked); }, "a value of another transaction is refused");
    fails(EVE_E_ARG, [&] { t.conj(t.empty_vector(), *leaked); }, "as an element too");
  });
  check(!eve::snapshot(slab).state().find_keyword("b"), "nothing was set");
}

static void numbers_and_names(eve::slab& slab) {
  slab.transact([](eve::txn& t) {
    t.set("n", t.integer(300));
    t.set("minus", t.integer(-1));
    t.set("yes", t.boolean(true));
    t.set("no", t.boolean(false));
    fails(EVE_E_ARG, [&] { t.integer(UINT64_MAX); }, "an integer that doesn't fit is refused, not changed");
    t.set("most", t.integer(uint64_t{INT64_MAX}));
  });
  eve::snapshot now(slab);
  check(now.atom("n").as<int16_t>() == 300 && now.atom("n").as<uint64_t>() == 300 && now.atom("n").as<float>() == 300.0f, "a number that fits");
  fails(EVE_E_TYPE, [&] { now.atom("n").as<uint8_t>(); }, "300 is no uint8_t");
  fails(EVE_E_TYPE, [&] { now.atom("minus").as<uint64_t>(); }, "-1 is no uint64_t");
  fails(EVE_E_TYPE, [&] { now.atom("minus").as<unsigned>(); }, "-1 is no unsigned");
  check(now.atom("most").as<uint64_t>() == INT64_MAX, "the greatest");
  check(now.atom("yes").as<bool>() && !now.atom("no").as<bool>() && now.atom("no") && !now.atom("none"), "booleans");
  check(!now.state().find_keyword(std::string("n\0x", 3)), "a name ends at its end, not at a NUL");
  fails(EVE_E_ARG, [] { eve::slab(std::string("/tmp\0/x", 7)); }, "a path with a NUL is refused");
}

static void iteration(eve::slab& slab) {
  slab.transact([](eve::txn& t) {
    t.set("m", many(t, 100));
    auto v = t.empty_vector();
    for (int i = 0; i < 100; i++) v = t.conj(v, t.integer(i));
    t.set("v", v);
    t.set("e", t.empty_map());
  });
  eve::snapshot now(slab);
  int64_t sum = 0, n = 0;
  for (auto [key, value] : now.atom("m").entries()) {
    sum += value.as<int64_t>();
    check(now.atom("m")[key.as<std::string>()] == value, "the entry is in the map");
  }
  check(sum == 4950, "entries of a map");
  for (eve::value x : now.atom("v").elements()) check(x.as<int64_t>() == n++, "elements in order");
  check(n == 100, "elements of a vector");
  for (auto entry : now.atom("e").entries()) check(entry.first.is_nil(), "an empty map has no entries");
  for (auto x : now.atom("none").elements()) check(x.is_nil(), "nil has no elements");
  fails(EVE_E_TYPE, [&] { now.atom("v")[uint64_t{0}].elements(); }, "an integer has no elements");
  try {
    for (auto x : now.atom("v").elements()) throw x.as<int>();
  } catch (int) {
  }
}

static void lifetimes(const std::string& path) {
  static_assert(!std::is_constructible_v<eve::snapshot, eve::slab>, "no snapshot of a slab that is closed at once");
  static_assert(!std::is_constructible_v<eve::txn, eve::slab>, "nor a transaction");
  eve::slab slab(path);
  eve::slab moved(std::move(slab));
  fails(EVE_E_HANDLE, [&] { eve::snapshot s(slab); }, "a slab moved from is closed");
  slab = std::move(moved);
  slab = eve::slab::anonymous();
  auto last = std::make_unique<eve::slab>(path);
  eve::txn t(*last);
  eve::snapshot s(*last);
  auto state = s.state();
  auto range = std::make_unique<eve::value::range<true>>(state);
  last.reset();
  fails(EVE_E_HANDLE, [&] { state.size(); }, "a value of a closed slab");
  fails(EVE_E_CLOSED, [&] { t.integer(1); }, "a transaction of a closed slab");
  fails(EVE_E_HANDLE, [&] { t.get("a"); }, "a name in a transaction of a closed slab");
  fails(EVE_E_CLOSED, [&] { range->begin(); }, "an iterator of a closed slab");
}

static void exceptions(eve::slab& slab) {
  auto before = eve::snapshot(slab).version();
  for (int i = 0; i < 5000; i++) {
    try {
      slab.transact([](eve::txn& t) {
        t.set("thrown", many(t, 2));
        throw 1;
      });
    } catch (int) {
    }
  }
  check(eve::snapshot(slab).version() == before, "a transaction that throws changes nothing and leaves nothing open");
  slab.transact([](eve::txn& t) {
    check(t.commit(), "commit inside");
    fails(EVE_E_HANDLE, [&] { t.commit(); }, "a second commit");
    fails(EVE_E_HANDLE, [&] { t.integer(1); }, "a call after the commit");
    throw 1;
  });
}

int main(int, char** argv) {
  eve::slab slab(argv[1]);
  values_of_old_versions(slab);
  foreign_values(slab);
  numbers_and_names(slab);
  iteration(slab);
  lifetimes(argv[1]);
  try {
    exceptions(slab);
    check(false, "the exception comes through");
  } catch (int) {
  }
  return 0;
}
