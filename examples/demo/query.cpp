// query SLAB FOLDER: as query.clj, in C++. JSON by nlohmann's library if it is installed; for EDN and Transit C++ has none in Debian.
#include <eve.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#if __has_include(<nlohmann/json.hpp>)
#include <fstream>
#include <nlohmann/json.hpp>
#define HAVE_JSON 1
#endif

namespace {

const std::string wanted = "Springfield";
constexpr double latitude = 48.8566;
constexpr double longitude = 2.3522;

// Calls f, prints its time, returns its value.
template <class F>
auto timed(const char* name, F&& f) {
  auto start = std::chrono::steady_clock::now();
  auto result = f();
  std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - start;
  std::printf("time %s %.3f\n", name, ms.count());
  return result;
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

std::string line(const std::string& country, const std::string& admin1, double lat, double lng) {
  char numbers[64];
  std::snprintf(numbers, sizeof numbers, " %.5f %.5f", lat, lng);
  return country + "." + admin1 + numbers;
}

void join(std::string& all, const std::string& next, const char* separator) { all += (all.empty() ? "" : separator) + next; }

// The keys of a city, made once: a look-up by a word needs no search for the keyword.
struct keys {
  explicit keys(const eve::slab& s)
      : name(s.handle(), s.keyword("name")), country(s.handle(), s.keyword("country")), admin1(s.handle(), s.keyword("admin1")),
        lat(s.handle(), s.keyword("lat")), lng(s.handle(), s.keyword("lng")) {}
  eve::value name, country, admin1, lat, lng;
};

template <class T>
T field(const eve::value& city, const eve::value& key) {
  auto found = city.find(key);
  if (!found) fail("a city without " + key.str());
  return found->as<T>();
}

std::string look_up(const eve::slab& slab) {
  eve::snapshot now(slab);
  keys k(slab);
  auto cities = now.atom("geo/cities");
  std::string all;
  now.atom("geo/by-name")[wanted].each([&](eve::value i, eve::value) {
    auto city = cities[i.as<uint64_t>()];
    join(all, line(field<std::string>(city, k.country), field<std::string>(city, k.admin1), field<double>(city, k.lat), field<double>(city, k.lng)), "; ");
  });
  return all;
}

std::string most_cities(const eve::value& cities, const eve::value& by_country, const keys& k) {
  std::map<std::string, int64_t> counts;
  cities.each([&](eve::value city, eve::value) { counts[field<std::string>(city, k.country)]++; });
  if (by_country.size() != counts.size()) fail("the counts are not those of :geo/by-country");
  for (auto& [country, n] : counts) {
    if (by_country[country].as<int64_t>() != n) fail("the counts are not those of :geo/by-country");
  }
  std::vector<std::pair<std::string, int64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.second > b.second; });
  sorted.resize(std::min<size_t>(sorted.size(), 5));
  std::string all;
  for (auto& [country, n] : sorted) join(all, country + " " + std::to_string(n), ", ");
  return all;
}

// Kilometres on a sphere, by the haversine formula.
double distance(double lat, double lng) {
  const double radian = std::acos(-1.0) / 180;
  double a = std::sin((lat - latitude) * radian / 2);
  double b = std::sin((lng - longitude) * radian / 2);
  return 2 * 6371.0 * std::asin(std::sqrt(a * a + std::cos(latitude * radian) * std::cos(lat * radian) * b * b));
}

std::string nearest(const eve::value& cities, const keys& k) {
  std::vector<std::pair<double, std::string>> best;
  cities.each([&](eve::value city, eve::value) {
    double d = distance(field<double>(city, k.lat), field<double>(city, k.lng));
    if (best.size() == 3 && d >= best.back().first) return;
    best.emplace_back(d, field<std::string>(city, k.name));
    std::stable_sort(best.begin(), best.end(), [](auto& x, auto& y) { return x.first < y.first; });
    if (best.size() > 3) best.pop_back();
  });
  std::string all;
  for (auto& [d, name] : best) {
    char km[32];
    std::snprintf(km, sizeof km, " %.1f km", d);
    join(all, name + km, ", ");
  }
  return all;
}

#ifdef HAVE_JSON
std::string look_up_json(const std::string& file) {
  std::ifstream in(file);
  if (!in) fail("can't read " + file);
  auto all = nlohmann::json::parse(in);
  std::string found;
  for (auto& i : all.at("by-name").at(wanted)) {
    auto& city = all.at("cities").at(i.get<size_t>());
    join(found, line(city.at("country"), city.at("admin1"), city.at("lat"), city.at("lng")), "; ");
  }
  return found;
}
#endif

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: " << argv[0] << " SLAB FOLDER\n";
    return 2;
  }
  eve_options options{};
  options.size = sizeof options;
  options.flags = EVE_MUST_EXIST;
  std::optional<eve::slab> opened;
  auto open_and_look_up = [&] {
    opened.emplace(argv[1], &options);
    return look_up(*opened);
  };
  auto in_place = timed("in-place", open_and_look_up);
  opened.reset();
  if (timed("again", open_and_look_up) != in_place) fail("another answer after opening again");
  std::printf("answer look-up %s\n", in_place.c_str());
  {
    eve::snapshot now(*opened);
    keys k(*opened);
    auto cities = now.atom("geo/cities");
    auto by_country = now.atom("geo/by-country");
    auto most = timed("most", [&] { return most_cities(cities, by_country, k); });
    auto near = timed("nearest", [&] { return nearest(cities, k); });
    std::printf("answer most %s\nanswer nearest %s\n", most.c_str(), near.c_str());
  }
#ifdef HAVE_JSON
  std::string file = std::string(argv[2]) + "/cities.json";
  std::cerr << "    reading cities.json\n";
  if (timed("json", [&] { return look_up_json(file); }) != in_place) fail("another answer from " + file);
#endif
  return 0;
} catch (const std::exception& e) {
  std::cerr << "query: " << e.what() << "\n";
  return 1;
}
