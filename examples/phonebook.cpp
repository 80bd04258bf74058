// phonebook FILE [NAME NUMBER]: without NAME prints all entries of the atom :app/phones, with it adds one.
#include <eve.hpp>

#include <iostream>

int main(int argc, char** argv) try {
  if (argc != 2 && argc != 4) {
    std::cerr << "usage: " << argv[0] << " FILE [NAME NUMBER]\n";
    return 2;
  }
  eve::slab slab(argv[1]);
  if (argc == 4) {
    slab.transact([&](eve::txn& t) {
      auto phones = t.get("app/phones").value_or(t.empty_map());
      t.set("app/phones", t.assoc(phones, t.string(argv[2]), t.string(argv[3])));
    });
  }
  eve::snapshot now(slab);
  auto phones = now.atom("app/phones");
  std::cout << phones.size() << " entries in version " << now.version() << "\n";
  phones.each([](eve::value name, eve::value number) {
    std::cout << name.as<std::string>() << ": " << number.as<std::string>() << "\n";
  });
  return 0;
} catch (const eve::error& e) {
  std::cerr << "phonebook: " << e.what() << "\n";
  return 1;
}
