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
#include <limits>
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

/// Calls `F(slab, kind, namespace, its length, name, its length, &word, &err)` for the keyword "name" or "ns/name"; nullopt if it isn't found.
template <class F>
std::optional<eve_word> keyword(F call, eve_slab slab, std::string_view name) {
  auto slash = name.find('/');
  bool qualified = slash != std::string_view::npos && slash > 0 && name.size() > 1;
  auto ns = qualified ? name.substr(0, slash) : std::string_view();
  auto local = qualified ? name.substr(slash + 1) : name;
  eve_word word = 0;
  auto status = check([&](eve_error* e) {
    return call(slab, 0, reinterpret_cast<const uint8_t*>(ns.data()), qualified ? static_cast<int64_t>(ns.size()) : -1,
                reinterpret_cast<const uint8_t*>(local.data()), local.size(), &word, e);
  });
  return status == EVE_OK ? std::optional<eve_word>(word) : std::nullopt;
}
}  // namespace detail

class value;

/// An opened slab; closed when it goes out of scope.
class slab {
 public:
  /// Opens the slab at `path`, creating it if it is missing and `options` don't say otherwise.
  explicit slab(const std::string& path, const eve_options* options = nullptr) {
    if (path.find('\0') != std::string::npos) throw error(EVE_E_ARG, "the path of a slab must not contain NUL");
    detail::check([&](eve_error* e) { return eve_open(path.c_str(), options, &handle_, e); });
  }
  /// A slab without a file.
  static slab anonymous() {
    slab s;
    detail::check([&](eve_error* e) { return eve_open_anonymous(nullptr, &s.handle_, e); });
    return s;
  }
  slab(slab&& other) noexcept : handle_(std::exchange(other.handle_, 0)) {}
  /// Closes what it held before.
  slab& operator=(slab&& other) noexcept {
    slab old(std::move(other));
    std::swap(handle_, old.handle_);
    return *this;
  }
  slab(const slab&) = delete;
  slab& operator=(const slab&) = delete;
  ~slab() {
    if (handle_) eve_close(handle_, nullptr);
  }

  eve_slab handle() const noexcept { return handle_; }

  /// The keyword of that name ("name" or "ns/name").
  eve_word keyword(std::string_view name) const { return *detail::keyword(eve_symbol_intern, handle_, name); }

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

  /// Frees everything that no version in use reaches. The slab does so by itself when it grows.
  eve_gc_report gc() const {
    eve_gc_report report{};
    detail::check([&](eve_error* e) { return eve_gc(handle_, &report, e); });
    return report;
  }

  /// Checks everything in the slab; `findings` of the result is 0 if it is sound.
  eve_report verify() const {
    eve_report report{};
    detail::check([&](eve_error* e) { return eve_verify(handle_, &report, nullptr, 0, nullptr, e); });
    return report;
  }

  /// Copies the current version to a new file, durably; returns its number.
  uint64_t backup(const std::string& path) const {
    uint64_t version = 0;
    detail::check([&](eve_error* e) { return eve_backup(handle_, path.c_str(), &version, e); });
    return version;
  }

  /// Copies the values of the current version into a new slab, without garbage.
  void compact(const std::string& path) const {
    detail::check([&](eve_error* e) { return eve_compact(handle_, path.c_str(), nullptr, nullptr, e); });
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
  /// Of a word that the C calls gave. What a transaction is given must be one of its own words then, or imported (eve_txn_import).
  value(eve_slab slab, eve_word word) noexcept : slab_(slab), word_(word) {}
  eve_word word() const noexcept { return word_; }
  bool is_nil() const noexcept { return word_ == 0; }
  /// Is it there, that is, not nil? Also true for the value `false`, which `as<bool>` gives.
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

  /// An integer type, double, bool or std::string. Another type of value is an error, and an integer that doesn't fit.
  template <class T>
  T as() const {
    if constexpr (std::is_same_v<T, bool>) {
      int32_t b = 0;
      detail::check([&](eve_error* e) { return eve_to_bool(slab_, word_, &b, e); });
      return b != 0;
    } else if constexpr (std::is_integral_v<T>) {
      int64_t i = 0;
      detail::check([&](eve_error* e) { return eve_to_i64(slab_, word_, &i, e); });
      auto fits = static_cast<int64_t>(static_cast<T>(i)) == i && (std::is_signed_v<T> || i >= 0);
      if (!fits) throw error(EVE_E_TYPE, "the integer " + std::to_string(i) + " doesn't fit the type asked for");
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
  std::optional<value> find_keyword(std::string_view name) const {
    auto key = detail::keyword(eve_symbol_find, slab_, name);
    return key ? find(of(*key)) : std::nullopt;
  }
  std::optional<value> find(value key) const {
    return found([&](eve_word* out, eve_error* e) { return eve_get(slab_, word_, key.word_, out, e); });
  }
  std::optional<value> nth(uint64_t index) const {
    return found([&](eve_word* out, eve_error* e) { return eve_nth(slab_, word_, index, out, e); });
  }
  /// The same, nil if there is none.
  value operator[](std::string_view key) const { return find(key).value_or(of(0)); }
  value operator[](uint64_t index) const { return nth(index).value_or(of(0)); }
  value keyword(std::string_view name) const { return find_keyword(name).value_or(of(0)); }

  template <bool Pairs>
  class range;
  /// for (auto [key, value] : map.entries())
  range<true> entries() const;
  /// for (eve::value element : vector.elements()), also of lists and sets; the keys of maps
  range<false> elements() const;

  /// Calls `f(key, value)` for each entry; of vectors, lists and sets `key` is the element.
  template <class F>
  void each(F&& f) const;

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
    return status == EVE_OK ? std::optional<value>(of(out)) : std::nullopt;
  }
  /// A value of the same origin.
  value of(eve_word word) const noexcept {
    value v = *this;
    v.word_ = word;
    return v;
  }
  friend class snapshot;
  friend class txn;
  static constexpr uint64_t NO_VERSION = std::numeric_limits<uint64_t>::max();

  eve_slab slab_;
  eve_word word_;
  // Where the word is valid: in the version of a snapshot, or in a transaction.
  uint64_t version_ = NO_VERSION;
  eve_txn txn_ = 0;
};

/// The elements of a collection, once. It must not outlive the value's snapshot or transaction.
template <bool Pairs>
class value::range {
 public:
  explicit range(const value& collection) : of_(collection) {
    detail::check([&](eve_error* e) { return eve_iter_open(of_.slab_, of_.word_, &handle_, e); });
  }
  range(const range&) = delete;
  range& operator=(const range&) = delete;
  ~range() { eve_iter_close(handle_, nullptr); }

  struct end_mark {};
  class iterator {
   public:
    explicit iterator(range* r) : range_(r) { range_->next(); }
    auto operator*() const {
      if constexpr (Pairs) return std::pair<value, value>(range_->of_.of(range_->key_), range_->of_.of(range_->value_));
      else return range_->of_.of(range_->key_);
    }
    iterator& operator++() {
      range_->next();
      return *this;
    }
    bool operator!=(end_mark) const noexcept { return range_->more_; }

   private:
    range* range_;
  };
  iterator begin() { return iterator(this); }
  end_mark end() const noexcept { return {}; }

 private:
  void next() {
    more_ = detail::check([&](eve_error* e) { return eve_iter_next(handle_, &key_, &value_, e); }) == EVE_OK;
  }
  value of_;
  eve_iter handle_ = 0;
  eve_word key_ = 0, value_ = 0;
  bool more_ = false;
};

inline value::range<true> value::entries() const { return range<true>(*this); }
inline value::range<false> value::elements() const { return range<false>(*this); }

template <class F>
void value::each(F&& f) const {
  for (auto [k, v] : entries()) f(k, v);
}

/// One version, pinned until it goes out of scope.
class snapshot {
 public:
  explicit snapshot(const slab& s) : slab_(s.handle()) {
    detail::check([&](eve_error* e) { return eve_snapshot_open(slab_, &handle_, &view_, e); });
  }
  explicit snapshot(const slab&&) = delete;  // the slab would be closed at once
  snapshot(const snapshot&) = delete;
  snapshot& operator=(const snapshot&) = delete;
  ~snapshot() { eve_snapshot_close(handle_, nullptr); }

  uint64_t version() const noexcept { return view_.version; }
  /// The map of all atoms.
  value state() const {
    value v(slab_, view_.state);
    v.version_ = view_.version;
    return v;
  }
  /// Value of the atom of that name ("ns/name"); nil if there is none.
  value atom(std::string_view name) const { return state().keyword(name); }

 private:
  eve_slab slab_;
  eve_snapshot handle_ = 0;
  eve_view view_{};
};

/// A transaction; given up if it goes out of scope without `commit`. Values of snapshots of the same slab can be given to it; they are copied if they
/// are of another version than its own. Values of other slabs and transactions are errors.
class txn {
 public:
  explicit txn(const slab& s) : slab_(s.handle()) {
    detail::check([&](eve_error* e) { return eve_txn_begin(slab_, 0, &handle_, nullptr, e); });
  }
  explicit txn(const slab&&) = delete;  // the slab would be closed at once
  txn(const txn&) = delete;
  txn& operator=(const txn&) = delete;
  ~txn() {
    if (handle_) eve_txn_abort(handle_, 0, nullptr);
  }

  /// Value of the atom of that name, nullopt if there is none.
  std::optional<value> get(std::string_view atom) {
    eve_word out = 0, name = intern(atom);
    auto status = detail::check([&](eve_error* e) { return eve_txn_get(handle_, name, &out, e); });
    return status == EVE_OK ? std::optional<value>(wrap(out)) : std::nullopt;
  }
  void set(std::string_view atom, value v) {
    eve_word name = intern(atom), word = own(v);
    detail::check([&](eve_error* e) { return eve_txn_set(handle_, name, word, e); });
  }
  void remove(std::string_view atom) {
    eve_word name = intern(atom);
    detail::check([&](eve_error* e) { return eve_txn_remove(handle_, name, e); });
  }
  /// False if another commit came first: run the transaction again.
  bool commit() {
    auto handle = std::exchange(handle_, 0);
    return detail::check([&](eve_error* e) { return eve_txn_commit(handle, 0, nullptr, e); }) == EVE_OK;
  }

  value nil() const { return wrap(0); }
  value boolean(bool b) { return build({static_cast<uint8_t>(b ? 1 : 2)}); }
  /// Of any integer type; what doesn't fit 64 bits with a sign is an error.
  template <class T, class = std::enable_if_t<std::is_integral_v<T>>>
  value integer(T n) {
    auto i = static_cast<int64_t>(n);
    if (std::is_unsigned_v<T> && i < 0) throw error(EVE_E_ARG, "the integer " + std::to_string(n) + " doesn't fit 64 bits with a sign");
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
  value keyword(std::string_view name) { return wrap(intern(name)); }
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
    eve_word m = own(map), k = own(key), x = own(v);
    return made([&](eve_word* out, eve_error* e) { return eve_map_assoc(handle_, token, m, k, x, out, e); });
  }
  value dissoc(value map, value key, uint32_t token = 0) {
    eve_word m = own(map), k = own(key);
    return made([&](eve_word* out, eve_error* e) { return eve_map_dissoc(handle_, token, m, k, out, e); });
  }
  value conj(value vec, value v, uint32_t token = 0) {
    eve_word c = own(vec), x = own(v);
    return made([&](eve_word* out, eve_error* e) { return eve_vec_conj(handle_, token, c, x, out, e); });
  }
  value conj_set(value set, value v, uint32_t token = 0) {
    eve_word c = own(set), x = own(v);
    return made([&](eve_word* out, eve_error* e) { return eve_set_conj(handle_, token, c, x, out, e); });
  }

 private:
  static void put(std::vector<uint8_t>& b, const void* p, size_t n) {
    auto size = b.size();
    b.resize(size + n);
    if (n > 0) std::memcpy(b.data() + size, p, n);
  }
  eve_word intern(std::string_view name) const { return *detail::keyword(eve_symbol_intern, slab_, name); }
  value wrap(eve_word w) const {
    value v(slab_, w);
    v.txn_ = handle_;
    return v;
  }
  /// The word for a value given. A word of another version would be committed without being alive there, and its memory used again under it.
  eve_word own(const value& v) {
    if (v.slab_ != slab_) throw error(EVE_E_ARG, "a value of another slab: build it anew in this one");
    bool pointer = v.word_ != 0 && (v.word_ & 15) == 0;
    if (!pointer || v.txn_ == handle_) return v.word_;
    if (v.txn_ != 0) throw error(EVE_E_ARG, "a value of another transaction (or of an earlier run of this one): read or build it in this one");
    if (v.version_ == value::NO_VERSION) return v.word_;
    return made([&](eve_word* out, eve_error* e) { return eve_txn_import(handle_, v.version_, v.word_, out, e); }).word_;
  }
  value build(const std::vector<uint8_t>& b) {
    return made([&](eve_word* out, eve_error* e) { return eve_txn_build(handle_, b.data(), b.size(), out, e); });
  }
  template <class F>
  value made(F&& call) {
    eve_word out = 0;
    detail::check([&](eve_error* e) { return call(&out, e); });
    return wrap(out);
  }
  eve_slab slab_;
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
