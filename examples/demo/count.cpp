// count SLAB N PROCESSES: as count.clj, in C++.
#include <eve.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

namespace {

int64_t increment(eve::slab& slab, const char* atom) {
  int64_t next = 0;
  slab.transact([&](eve::txn& t) {
    next = t.get(atom).value().as<int64_t>() + 1;
    t.set(atom, t.integer(next));
  });
  return next;
}

// Waits until the atom has that value at least.
void wait_for(const eve::slab& slab, const char* atom, int64_t wanted) {
  for (;;) {
    uint64_t version = 0;
    {
      eve::snapshot now(slab);
      if (now.atom(atom).as<int64_t>() >= wanted) return;
      version = now.version();
    }
    slab.wait(version, -1);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s SLAB N PROCESSES\n", argv[0]);
    return 2;
  }
  const long n = std::stol(argv[2]);
  eve::slab slab(argv[1]);
  increment(slab, "demo/ready");
  wait_for(slab, "demo/ready", std::stol(argv[3]));
  auto start = std::chrono::steady_clock::now();
  for (long i = 0; i < n; i++) increment(slab, "demo/counter");
  std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - start;
  std::printf("%ld increments in %.0f ms\n", n, ms.count());
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "count: %s\n", e.what());
  return 1;
}
