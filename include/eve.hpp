// eve.hpp: RAII over eve.h, header only, C++17. Errors are exceptions (eve::error); "not found" is an empty std::optional.
//
//   eve::slab slab("cities.eve");
//   eve::snapshot now(slab);                                   // pins one version
//   auto city = now.atom("geo/cities")["paris"]["population"].as<int64_t>();
//
//   slab.transact([](eve::txn& t) {                            // runs again if another process was first
//     auto n = t.get("app/hits");
//     t.set("app/hits", t.integer(n ? n->as<int64_t>() + 1 : 1));
//   });
#ifndef EVE_HPP
#define EVE_HPP

#include <eve.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace eve {

/// A failed call: its status and what it said.
class error : public std::runtime_error {
 public:
  error(eve_status code, const std::string& what) : std::runtime_error(what), code_(code) {}
  eve_status code() const noexcept { return code_; }

 private:
  eve_status code_;
};

namespace detail {
/// Runs `call(&err)`; throws if it fails, else returns its outcome.
template <class F>
eve_status check(F&& call) {
  eve_error err{};
  eve_status status = call(&err);
  if (status < 0) throw error(status, err.message);
  return status;
}

/// Runs `call(buf, cap, &len)` with a buffer that is large enough.
template <class F>
std::string text(F&& call) {
  std::string s(64, '\0');
  uint64_t len = 0;
  for (;;) {
    call(s.data(), static_cast<uint64_t>(s.size()), &len);
    bool fits = len <= s.size();
    s.resize(static_cast<size_t>(len));
    if (fits) return s;
  }
}
}  // namespace detail

class value;

/// An opened slab; closed when it goes out of scope.
class slab {
 public:
  /// Opens the slab at `path`, creating it if it is missing and `options` don't say otherwise.
  explicit slab(const std::string& path, const eve_options* options = nullptr) {
    detail::check([&](eve_error* e) { return eve_open(path.c_str(), options, &handle_, e); });
  }
  /// A slab without a file.
  static slab anonymous() {
    slab s;
    detail::check([&](eve_error* e) { return eve_open_anonymous(nullptr, &s.handle_, e); });
    return s;
  }
  slab(slab&& other) noexcept : handle_(std::exchange(other.handle_, 0)) {}
  slab& operator=(slab&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  slab(const slab&) = delete;
  slab& operator=(const slab&) = delete;
  ~slab() {
    if (handle_) eve_close(handle_, nullptr);
  }

  eve_slab handle() const noexcept { return handle_; }

  /// The keyword of that name ("name" or "ns/name").
  eve_word keyword(std::string_view name) const {
    auto slash = name.find('/');
    bool qualified = slash != std::string_view::npos && slash > 0 && name.size() > 1;
    auto ns = qualified ? name.substr(0, slash) : std::string_view();
    auto local = qualified ? name.substr(slash + 1) : name;
    eve_word word = 0;
    detail::check([&](eve_error* e) {
      return eve_symbol_intern(handle_, 0, reinterpret_cast<const uint8_t*>(ns.data()), qualified ? static_cast<int64_t>(ns.size()) : -1,
                               reinterpret_cast<const uint8_t*>(local.data()), local.size(), &word, e);
    });
    return word;
  }

  /// Waits for a version later than `seen`; nullopt after `timeout_ms` (< 0: no limit).
  std::optional<uint64_t> wait(uint64_t seen, int64_t timeout_ms) const {
    uint64_t version = 0;
    auto status = detail::check([&](eve_error* e) { return eve_wait(handle_, seen, timeout_ms, &version, e); });
    return status == EVE_OK ? std::optional<uint64_t>(version) : std::nullopt;
  }

  /// Makes the current version survive a crash of the machine; returns its number.
  uint64_t sync() const {
    uint64_t version = 0;
    detail::check([&](eve_error* e) { return eve_sync(handle_, &version, e); });
    return version;
  }

  /// Runs `f(eve::txn&)` in a transaction and commits it, again if others come first.
  template <class F>
  void transact(F&& f);

 private:
  slab() = default;
  eve_slab handle_ = 0;
};

/// A value of a version that somebody keeps pinned: it must not outlive its snapshot or transaction.
class value {
 public:
  value(eve_slab slab, eve_word word) noexcept : slab_(slab), word_(word) {}
  eve_word word() const noexcept { return word_; }
  bool is_nil() const noexcept { return word_ == 0; }
  explicit operator bool() const noexcept { return !is_nil(); }

  /// EVE_NIL, EVE_BOOL, ...
  uint32_t kind() const {
    uint32_t k = 0;
    detail::check([&](eve_error* e) { return eve_kind(slab_, word_, &k, e); });
    return k;
  }
  uint64_t size() const {
    uint64_t n = 0;
    detail::check([&](eve_error* e) { return eve_count(slab_, word_, &n, e); });
    return n;
  }

  /// int64_t, double, bool or std::string. Another type of value is an error.
  template <class T>
  T as() const {
    if constexpr (std::is_same_v<T, bool>) {
      int32_t b = 0;
      detail::check([&](eve_error* e) { return eve_to_bool(slab_, word_, &b, e); });
      return b != 0;
    } else if constexpr (std::is_integral_v<T>) {
      int64_t i = 0;
      detail::check([&](eve_error* e) { return eve_to_i64(slab_, word_, &i, e); });
      return static_cast<T>(i);
    } else if constexpr (std::is_floating_point_v<T>) {
      double d = 0;
      detail::check([&](eve_error* e) { return eve_to_f64(slab_, word_, &d, e); });
      return static_cast<T>(d);
    } else {
      static_assert(std::is_same_v<T, std::string>, "as<T>: T is an integer, a double, bool or std::string");
      return detail::text([&](char* buf, uint64_t cap, uint64_t* len) {
        detail::check([&](eve_error* e) { return eve_text(slab_, word_, buf, cap, len, e); });
      });
    }
  }

  /// Look-up by string, keyword name or word: nullopt if there is none.
  std::optional<value> find(std::string_view key) const {
    return found([&](eve_word* out, eve_error* e) { return eve_get_string(slab_, word_, key.data(), key.size(), out, e); });
  }
  std::optional<value> find_keyword(const std::string& name) const {
    return found([&](eve_word* out, eve_error* e) { return eve_get_keyword(slab_, word_, name.c_str(), out, e); });
  }
  std::optional<value> find(value key) const {
    return found([&](eve_word* out, eve_error* e) { return eve_get(slab_, word_, key.word_, out, e); });
  }
  std::optional<value> nth(uint64_t index) const {
    return found([&](eve_word* out, eve_error* e) { return eve_nth(slab_, word_, index, out, e); });
  }
  /// The same, nil if there is none.
  value operator[](std::string_view key) const { return find(key).value_or(value(slab_, 0)); }
  value operator[](uint64_t index) const { return nth(index).value_or(value(slab_, 0)); }
  value keyword(const std::string& name) const { return find_keyword(name).value_or(value(slab_, 0)); }

  /// Calls `f(key, value)` for each entry; of vectors, lists and sets `key` is the element.
  template <class F>
  void each(F&& f) const {
    struct closer {
      eve_iter it = 0;
      ~closer() {
        if (it) eve_iter_close(it, nullptr);
      }
    } open;
    detail::check([&](eve_error* e) { return eve_iter_open(slab_, word_, &open.it, e); });
    eve_word k = 0, v = 0;
    while (detail::check([&](eve_error* e) { return eve_iter_next(open.it, &k, &v, e); }) == EVE_OK) f(value(slab_, k), value(slab_, v));
  }

  /// EDN, as Clojure prints it.
  std::string str() const {
    return detail::text([&](char* buf, uint64_t cap, uint64_t* len) {
      detail::check([&](eve_error* e) { return eve_print(slab_, word_, buf, cap, len, e); });
    });
  }
  uint32_t hash() const {
    uint32_t h = 0;
    detail::check([&](eve_error* e) { return eve_hash(slab_, word_, &h, e); });
    return h;
  }
  friend bool operator==(const value& a, const value& b) {
    int32_t same = 0;
    detail::check([&](eve_error* e) { return eve_equal(a.slab_, a.word_, b.word_, &same, e); });
    return same != 0;
  }
  friend bool operator!=(const value& a, const value& b) { return !(a == b); }

 private:
  template <class F>
  std::optional<value> found(F&& call) const {
    eve_word out = 0;
    auto status = detail::check([&](eve_error* e) { return call(&out, e); });
    return status == EVE_OK ? std::optional<value>(value(slab_, out)) : std::nullopt;
  }
  eve_slab slab_;
  eve_word word_;
};

/// One version, pinned until it goes out of scope.
class snapshot {
 public:
  explicit snapshot(const slab& s) : slab_(s.handle()) {
    detail::check([&](eve_error* e) { return eve_snapshot_open(slab_, &handle_, &view_, e); });
  }
  snapshot(const snapshot&) = delete;
  snapshot& operator=(const snapshot&) = delete;
  ~snapshot() { eve_snapshot_close(handle_, nullptr); }

  uint64_t version() const noexcept { return view_.version; }
  /// The map of all atoms.
  value state() const { return value(slab_, view_.state); }
  /// Value of the atom of that name ("ns/name"); nil if there is none.
  value atom(const std::string& name) const { return state().keyword(name); }

 private:
  eve_slab slab_;
  eve_snapshot handle_ = 0;
  eve_view view_{};
};

/// A transaction; given up if it goes out of scope without `commit`.
class txn {
 public:
  explicit txn(const slab& s) : slab_(s) {
    detail::check([&](eve_error* e) { return eve_txn_begin(slab_.handle(), 0, &handle_, nullptr, e); });
  }
  txn(const txn&) = delete;
  txn& operator=(const txn&) = delete;
  ~txn() {
    if (handle_) eve_txn_abort(handle_, 0, nullptr);
  }

  /// Value of the atom of that name, nullopt if there is none.
  std::optional<value> get(std::string_view atom) {
    eve_word out = 0, name = slab_.keyword(atom);
    auto status = detail::check([&](eve_error* e) { return eve_txn_get(handle_, name, &out, e); });
    return status == EVE_OK ? std::optional<value>(wrap(out)) : std::nullopt;
  }
  void set(std::string_view atom, value v) {
    eve_word name = slab_.keyword(atom);
    detail::check([&](eve_error* e) { return eve_txn_set(handle_, name, v.word(), e); });
  }
  /// False if another commit came first: run the transaction again.
  bool commit() {
    auto handle = std::exchange(handle_, 0);
    return detail::check([&](eve_error* e) { return eve_txn_commit(handle, 0, nullptr, e); }) == EVE_OK;
  }

  value nil() const { return wrap(0); }
  value integer(int64_t i) {
    std::vector<uint8_t> b{3};
    put(b, &i, sizeof i);
    return build(b);
  }
  value number(double d) {
    std::vector<uint8_t> b{4};
    put(b, &d, sizeof d);
    return build(b);
  }
  value string(std::string_view s) {
    std::vector<uint8_t> b{6};
    auto n = static_cast<uint32_t>(s.size());
    put(b, &n, sizeof n);
    put(b, s.data(), s.size());
    return build(b);
  }
  value keyword(std::string_view name) { return wrap(slab_.keyword(name)); }
  value empty_map() { return build({19, 0, 0, 0, 0}); }
  value empty_vector() { return build({16, 0, 0, 0, 0}); }
  value empty_set() { return build({18, 0, 0, 0, 0}); }

  /// A token for editing in place: pass it to the calls that build one large collection. 0 leaves the argument as it is.
  uint32_t token() {
    uint32_t t = 0;
    detail::check([&](eve_error* e) { return eve_token(handle_, &t, e); });
    return t;
  }
  value assoc(value map, value key, value v, uint32_t token = 0) {
    return made([&](eve_word* out, eve_error* e) { return eve_map_assoc(handle_, token, map.word(), key.word(), v.word(), out, e); });
  }
  value dissoc(value map, value key, uint32_t token = 0) {
    return made([&](eve_word* out, eve_error* e) { return eve_map_dissoc(handle_, token, map.word(), key.word(), out, e); });
  }
  value conj(value vec, value v, uint32_t token = 0) {
    return made([&](eve_word* out, eve_error* e) { return eve_vec_conj(handle_, token, vec.word(), v.word(), out, e); });
  }
  value conj_set(value set, value v, uint32_t token = 0) {
    return made([&](eve_word* out, eve_error* e) { return eve_set_conj(handle_, token, set.word(), v.word(), out, e); });
  }

 private:
  static void put(std::vector<uint8_t>& b, const void* p, size_t n) {
    auto size = b.size();
    b.resize(size + n);
    if (n > 0) std::memcpy(b.data() + size, p, n);
  }
  value wrap(eve_word w) const { return value(slab_.handle(), w); }
  value build(const std::vector<uint8_t>& b) {
    return made([&](eve_word* out, eve_error* e) { return eve_txn_build(handle_, b.data(), b.size(), out, e); });
  }
  template <class F>
  value made(F&& call) {
    eve_word out = 0;
    detail::check([&](eve_error* e) { return call(&out, e); });
    return wrap(out);
  }
  const slab& slab_;
  eve_txn handle_ = 0;
};

template <class F>
void slab::transact(F&& f) {
  for (;;) {
    txn t(*this);
    f(t);
    if (t.commit()) return;
  }
}

}  // namespace eve

#endif
