// The Node addon: one function per call of the C ABI (include/eve.h), and what only N-API can do: windows on the mapping, weak references
// to what pins versions, a thread that waits for commits. It decides nothing; js/slab.js does.
//
// Words cross as two int32 (low, high), versions and sizes as doubles (they are below 2^53). Results are written into `Out`, an ArrayBuffer that
// JavaScript made; long arguments are read from the input ArrayBuffer. Every function returns an eve_status.
#include <algorithm>
#include <node_api.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "eve.h"

namespace {

// Results; js/native.js has the same offsets.
struct Out {
  double version, limit, time_ms, retired;  // 0, 8, 16, 24: the version that a call saw or made
  uint64_t state;                           // 32
  uint32_t record, id;                      // 40, 44: root record; number of a new pin, transaction or slab
  uint64_t word, old_word;                  // 48, 56
  double backed, reserved;                  // 64, 72
  uint32_t incarnation, read_only;          // 80, 84
  uint8_t uuid[16];                         // 88
};
static_assert(offsetof(Out, state) == 32 && offsetof(Out, word) == 48 && offsetof(Out, uuid) == 88, "js/native.js");

// A pin group, and a weak reference to the JavaScript object that stands for it.
struct Pin {
  uint32_t id;  // number in JavaScript
  uint32_t group;
  napi_ref ref;
};

struct Watcher {
  eve_slab slab;
  uint64_t seen;
  std::atomic<bool> stop{false}, pending{false};
  napi_threadsafe_function notify = nullptr;
  std::thread thread;
};

struct OpenSlab {
  eve_slab handle = 0;
  uint32_t next_id = 1;
  std::vector<Pin> pins;
  std::unique_ptr<Watcher> watcher;
};

// All of one environment (the main thread or a worker).
struct Data {
  napi_env env = nullptr;
  Out* out = nullptr;
  const uint8_t* in = nullptr;
  uint64_t in_size = 0;
  napi_ref out_ref = nullptr, in_ref = nullptr;
  eve_error error{};
  std::vector<std::unique_ptr<OpenSlab>> slabs;
  std::vector<eve_txn> txns;
  bool counted = false;  // in `environments`
};

// Environments of this process that have opened a slab: each has a collector of its own.
std::atomic<int> environments{0};

constexpr int MAX_ARGS = 8;

// The arguments of a call. A value of another type reads as 0: only js/ calls these functions.
struct Args {
  napi_env env;
  Data* data = nullptr;
  napi_value v[MAX_ARGS];

  Args(napi_env e, napi_callback_info info) : env(e) {
    size_t n = MAX_ARGS;
    void* d = nullptr;
    napi_get_cb_info(env, info, &n, v, nullptr, &d);
    data = static_cast<Data*>(d);
  }
  int32_t i(int k) const {
    int32_t x = 0;
    napi_get_value_int32(env, v[k], &x);
    return x;
  }
  uint32_t u(int k) const { return static_cast<uint32_t>(i(k)); }
  double d(int k) const {
    double x = 0;
    napi_get_value_double(env, v[k], &x);
    return x;
  }
  uint64_t size(int k) const {
    double x = d(k);
    return x > 0 && x < 9007199254740992.0 ? static_cast<uint64_t>(x) : 0;
  }
  eve_word word(int k) const { return u(k) | static_cast<uint64_t>(u(k + 1)) << 32; }
  OpenSlab* slab(int k) const {
    uint32_t n = u(k);
    return n < data->slabs.size() ? data->slabs[n].get() : nullptr;
  }
  eve_slab handle(int k) const {
    OpenSlab* s = slab(k);
    return s ? s->handle : 0;
  }
  eve_txn txn(int k) const {
    uint32_t n = u(k);
    return n < data->txns.size() ? data->txns[n] : 0;
  }
  // `len` bytes of the input from `from` on; NULL if there are not so many.
  const uint8_t* input(uint64_t from, uint64_t len) const {
    return len <= data->in_size && from <= data->in_size - len ? data->in + from : nullptr;
  }
  eve_error* error() const { return &data->error; }
  napi_value status(int32_t s) const {
    napi_value r = nullptr;
    napi_create_int32(env, s, &r);
    return r;
  }
  napi_value fail(int32_t code, const char* text) const {
    data->error = {};
    data->error.code = code;
    std::strncpy(data->error.message, text, sizeof data->error.message - 1);
    return status(code);
  }
};

void put_view(Out* out, const eve_view& v) {
  out->version = static_cast<double>(v.version);
  out->limit = static_cast<double>(v.limit);
  out->time_ms = static_cast<double>(v.time_ms);
  out->retired = static_cast<double>(v.retired_bytes);
  out->state = v.state;
  out->record = v.record;
}

// ---- buffers, errors ----

void* hold_buffer(const Args& a, napi_ref* ref, uint64_t* size) {
  if (*ref) napi_delete_reference(a.env, *ref);
  *ref = nullptr;
  void* p = nullptr;
  size_t n = 0;
  if (napi_get_arraybuffer_info(a.env, a.v[0], &p, &n) != napi_ok) return nullptr;
  napi_create_reference(a.env, a.v[0], 1, ref);
  *size = n;
  return p;
}

// setOutput(ArrayBuffer)
napi_value SetOutput(napi_env env, napi_callback_info info) {
  Args a(env, info);
  uint64_t size = 0;
  void* p = hold_buffer(a, &a.data->out_ref, &size);
  a.data->out = p && size >= sizeof(Out) ? static_cast<Out*>(p) : nullptr;
  return a.data->out ? a.status(EVE_OK) : a.fail(EVE_E_ARG, "the output buffer is too small");
}

// setInput(ArrayBuffer)
napi_value SetInput(napi_env env, napi_callback_info info) {
  Args a(env, info);
  a.data->in_size = 0;
  a.data->in = static_cast<const uint8_t*>(hold_buffer(a, &a.data->in_ref, &a.data->in_size));
  return a.status(EVE_OK);
}

// error() -> text of the last error of this environment; osError() -> its errno
napi_value LastError(napi_env env, napi_callback_info info) {
  Args a(env, info);
  napi_value r = nullptr;
  napi_create_string_utf8(env, a.data->error.message, NAPI_AUTO_LENGTH, &r);
  return r;
}
napi_value OsError(napi_env env, napi_callback_info info) {
  Args a(env, info);
  return a.status(a.data->error.os_error);
}

napi_value AbiVersion(napi_env env, napi_callback_info info) {
  Args a(env, info);
  return a.status(static_cast<int32_t>(eve_abi_version()));
}

// ---- slabs ----

// open(path or null, flags, mode, sync mode, max bytes, sync interval in ms); id = number of the slab
napi_value Open(napi_env env, napi_callback_info info) {
  Args a(env, info);
  eve_options options{};
  options.size = sizeof options;
  options.flags = a.u(1);
  options.mode = a.u(2);
  options.sync_mode = a.u(3);
  options.max_bytes = a.size(4);
  options.sync_interval_ms = a.u(5);
  auto slab = std::make_unique<OpenSlab>();
  size_t length = 0;
  eve_status s;
  if (napi_get_value_string_utf8(env, a.v[0], nullptr, 0, &length) == napi_ok) {
    std::string path(length + 1, '\0');
    napi_get_value_string_utf8(env, a.v[0], &path[0], length + 1, &length);
    if (std::strlen(path.c_str()) != length) return a.fail(EVE_E_ARG, "the path has a NUL in it");
    s = eve_open(path.c_str(), &options, &slab->handle, a.error());
  } else {
    s = eve_open_anonymous(&options, &slab->handle, a.error());
  }
  if (s != EVE_OK) return a.status(s);
  auto& slabs = a.data->slabs;
  size_t n = 0;
  while (n < slabs.size() && slabs[n]) n++;
  if (n == slabs.size()) slabs.emplace_back();
  slabs[n] = std::move(slab);
  a.data->out->id = static_cast<uint32_t>(n);
  if (!a.data->counted) environments++;
  a.data->counted = true;
  return a.status(s);
}

void stop_watcher(void* watcher) {
  Watcher* w = static_cast<Watcher*>(watcher);
  w->stop = true;
  eve_wake(w->slab, nullptr);
  if (w->thread.joinable()) w->thread.join();
  if (w->notify) napi_release_threadsafe_function(w->notify, napi_tsfn_abort);
  w->notify = nullptr;
}

void release_pin(napi_env env, eve_slab slab, const Pin& p) {
  eve_group_close(slab, p.group, nullptr);
  napi_delete_reference(env, p.ref);
}

eve_status close_slab(napi_env env, OpenSlab& s, eve_error* error) {
  if (s.watcher) {
    napi_remove_env_cleanup_hook(env, stop_watcher, s.watcher.get());
    stop_watcher(s.watcher.get());
    s.watcher.reset();
  }
  for (const Pin& p : s.pins) release_pin(env, s.handle, p);
  s.pins.clear();
  return eve_close(s.handle, error);
}

// close(slab). Its windows must not be read any more.
napi_value Close(napi_env env, napi_callback_info info) {
  Args a(env, info);
  OpenSlab* s = a.slab(0);
  if (!s) return a.fail(EVE_E_HANDLE, "no such slab");
  eve_status status = close_slab(env, *s, a.error());
  a.data->slabs[a.u(0)].reset();
  return a.status(status);
}

// memory(slab): backed, reserved, uuid, incarnation, read_only
napi_value SlabMemory(napi_env env, napi_callback_info info) {
  Args a(env, info);
  eve_memory m{};
  eve_status s = eve_slab_memory(a.handle(0), &m, a.error());
  if (s == EVE_OK) {
    Out* out = a.data->out;
    out->backed = static_cast<double>(m.backed);
    out->reserved = static_cast<double>(m.reserved);
    out->incarnation = m.incarnation;
    out->read_only = m.read_only;
    std::memcpy(out->uuid, m.uuid, sizeof out->uuid);
  }
  return a.status(s);
}

// window(slab, segment, bytes) -> ArrayBuffer on the mapping, or a status. It may reach beyond the end of the file, where nobody must read.
napi_value Window(napi_env env, napi_callback_info info) {
  Args a(env, info);
  eve_memory m{};
  eve_status s = eve_slab_memory(a.handle(0), &m, a.error());
  if (s != EVE_OK) return a.status(s);
  uint64_t from = a.size(1) << 32, bytes = a.size(2);
  if (from > m.reserved || bytes > m.reserved - from) return a.fail(EVE_E_ARG, "the window is not within the mapping");
  napi_value r = nullptr;
  // No finalizer: several environments wrap the same memory, and eve_close unmaps it.
  napi_status made = napi_create_external_arraybuffer(env, reinterpret_cast<void*>(m.base + from), bytes, nullptr, nullptr, &r);
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) return nullptr;
  return made == napi_ok ? r : a.fail(EVE_E_LIMIT, "this build of Node allows no ArrayBuffer over memory of its own (sandboxed pointers)");
}

napi_value Sync(napi_env env, napi_callback_info info) {
  Args a(env, info);
  uint64_t version = 0;
  eve_status s = eve_sync(a.handle(0), &version, a.error());
  a.data->out->version = static_cast<double>(version);
  return a.status(s);
}

// The text of argument `k`; empty if it is none or has a NUL in it.
std::string text_of(const Args& a, int k) {
  size_t length = 0;
  if (napi_get_value_string_utf8(a.env, a.v[k], nullptr, 0, &length) != napi_ok) return {};
  std::string text(length + 1, '\0');
  napi_get_value_string_utf8(a.env, a.v[k], &text[0], length + 1, &length);
  return std::strlen(text.c_str()) == length ? text.substr(0, length) : std::string();
}

napi_value to_js(const Args& a, const std::string& text) {
  napi_value r = nullptr;
  napi_create_string_utf8(a.env, text.data(), text.size(), &r);
  return r;
}

// ---- tools over the whole slab ----

enum Tool : int32_t { VERIFY = 0, GC = 1, BACKUP = 2, COMPACT = 3 };

// The numbers with tabs between, and a line end.
void put_numbers(std::string& text, std::initializer_list<uint64_t> numbers) {
  for (uint64_t n : numbers) text += std::to_string(n) + '\t';
  text.back() = '\n';
}

// Runs a tool, on any thread. `text` gets the numbers that it answers with; behind those of verify, a line for each finding.
eve_status run_tool(int32_t tool, eve_slab slab, const std::string& path, std::string& text, eve_error* error) {
  if (tool >= BACKUP && path.empty()) {
    *error = {};
    error->code = EVE_E_ARG;
    std::strncpy(error->message, "the path is empty or has a NUL in it", sizeof error->message - 1);
    return EVE_E_ARG;
  }
  switch (tool) {
    case VERIFY: {
      eve_report r{};
      std::vector<uint8_t> lines(1 << 20);
      uint64_t length = 0;
      eve_status s = eve_verify(slab, &r, lines.data(), lines.size(), &length, error);
      if (s != EVE_OK) return s;
      put_numbers(text, {r.version, r.findings, r.reachable_objects, r.reachable_bytes, r.allocated_objects, r.allocated_bytes, r.unreachable_objects,
                         r.unreachable_bytes, r.symbols, r.checksums});
      text.append(lines.begin(), lines.begin() + static_cast<ptrdiff_t>(std::min<uint64_t>(length, lines.size())));
      return s;
    }
    case GC: {
      eve_gc_report r{};
      eve_status s = eve_gc(slab, &r, error);
      put_numbers(text, {r.version, r.live_objects, r.live_bytes, r.freed_objects, r.freed_bytes, r.held_objects, r.held_bytes, r.freed_blocks});
      return s;
    }
    case BACKUP: {
      uint64_t version = 0;
      eve_status s = eve_backup(slab, path.c_str(), &version, error);
      put_numbers(text, {version});
      return s;
    }
    default: {
      uint64_t before = 0, after = 0;
      eve_status s = eve_compact(slab, path.c_str(), &before, &after, error);
      put_numbers(text, {before, after});
      return s;
    }
  }
}

// tool(slab, which, path or null): the text, or the status of an error
napi_value RunTool(napi_env env, napi_callback_info info) {
  Args a(env, info);
  std::string text;
  eve_status s = run_tool(a.i(1), a.handle(0), text_of(a, 2), text, a.error());
  return s == EVE_OK ? to_js(a, text) : a.status(s);
}

struct ToolWork {
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  int32_t tool;
  eve_slab slab;
  std::string path, text;
  eve_status status = EVE_OK;
  eve_error error{};
};

void execute_tool(napi_env, void* data) {
  ToolWork* w = static_cast<ToolWork*>(data);
  w->status = run_tool(w->tool, w->slab, w->path, w->text, &w->error);
}

void complete_tool(napi_env env, napi_status, void* data) {
  std::unique_ptr<ToolWork> w(static_cast<ToolWork*>(data));
  napi_delete_async_work(env, w->work);
  napi_value answer = nullptr, status = nullptr, text = nullptr, os = nullptr;
  const std::string said = w->status == EVE_OK ? w->text : std::string(w->error.message);
  if (napi_create_array_with_length(env, 3, &answer) != napi_ok) return;  // the environment is ending
  napi_create_int32(env, w->status, &status);
  napi_create_string_utf8(env, said.data(), said.size(), &text);
  napi_create_int32(env, w->error.os_error, &os);
  napi_set_element(env, answer, 0, status);
  napi_set_element(env, answer, 1, text);
  napi_set_element(env, answer, 2, os);
  napi_resolve_deferred(env, w->deferred, answer);
}

// toolStart(slab, which, path or null): a promise of [status, text or the error's message, errno]. It runs in a thread of Node's pool; the slab's memory stays
// mapped until it ends, also if the slab is closed.
napi_value StartTool(napi_env env, napi_callback_info info) {
  Args a(env, info);
  auto w = std::make_unique<ToolWork>();
  w->tool = a.i(1);
  w->slab = a.handle(0);
  w->path = text_of(a, 2);
  napi_value promise = nullptr, name = nullptr;
  napi_create_string_utf8(env, "eve.tool", NAPI_AUTO_LENGTH, &name);
  napi_create_promise(env, &w->deferred, &promise);
  napi_create_async_work(env, nullptr, name, execute_tool, complete_tool, w.get(), &w->work);
  napi_queue_async_work(env, w->work);
  w.release();
  return promise;
}

// intern(slab, kind, length of namespace or -1, length of name), find(the same): word. The bytes are in the input, one after the other.
template <eve_status (*F)(eve_slab, uint32_t, const uint8_t*, int64_t, const uint8_t*, uint64_t, eve_word*, eve_error*)>
napi_value Symbol(napi_env env, napi_callback_info info) {
  Args a(env, info);
  int64_t ns_len = a.i(2);
  uint64_t ns = ns_len < 0 ? 0 : static_cast<uint64_t>(ns_len), len = a.size(3);
  if (!a.input(0, ns + len)) return a.fail(EVE_E_ARG, "the name is not in the input buffer");
  return a.status(F(a.handle(0), a.u(1), a.data->in, ns_len, a.data->in + ns, len, &a.data->out->word, a.error()));
}

// ---- pins ----

Pin* find_pin(OpenSlab* s, uint32_t id) {
  // From the end: the newest are asked for most.
  for (size_t i = s ? s->pins.size() : 0; i-- > 0;) {
    if (s->pins[i].id == id) return &s->pins[i];
  }
  return nullptr;
}

// groupOpen(slab, object): id. The group lives until pinClose, or until pinPoll finds the object dead.
napi_value GroupOpen(napi_env env, napi_callback_info info) {
  Args a(env, info);
  uint32_t group = 0;
  eve_status s = eve_group_open(a.handle(0), &group, a.error());
  if (s != EVE_OK) return a.status(s);
  OpenSlab* slab = a.slab(0);
  Pin p{slab->next_id++, group, nullptr};
  if (napi_create_reference(env, a.v[1], 0, &p.ref) != napi_ok) {
    eve_group_close(slab->handle, group, nullptr);
    return a.fail(EVE_E_ARG, "not an object");
  }
  slab->pins.push_back(p);
  a.data->out->id = p.id;
  return a.status(EVE_OK);
}

// groupView(slab, id): view
napi_value GroupView(napi_env env, napi_callback_info info) {
  Args a(env, info);
  Pin* p = find_pin(a.slab(0), a.u(1));
  if (!p) return a.fail(EVE_E_ARG, "no such group");
  eve_view v{};
  eve_status s = eve_group_view(a.handle(0), p->group, &v, a.error());
  if (s == EVE_OK) put_view(a.data->out, v);
  return a.status(s);
}

// pinClose(slab, id)
napi_value PinClose(napi_env env, napi_callback_info info) {
  Args a(env, info);
  OpenSlab* s = a.slab(0);
  Pin* p = find_pin(s, a.u(1));
  if (!p) return a.fail(EVE_E_ARG, "no such pin");
  release_pin(env, s->handle, *p);
  s->pins.erase(s->pins.begin() + (p - s->pins.data()));
  return a.status(EVE_OK);
}

// pinPoll(slab) -> array of the ids of pins released because their objects are dead. A weak reference tells so at once, within a function that
// runs long too, where finalizers don't run.
napi_value PinPoll(napi_env env, napi_callback_info info) {
  Args a(env, info);
  OpenSlab* s = a.slab(0);
  if (!s) return a.fail(EVE_E_HANDLE, "no such slab");
  napi_value dead = nullptr;
  napi_create_array(env, &dead);
  size_t kept = 0, all = s->pins.size();
  for (size_t i = 0; i < all; i++) {
    Pin p = s->pins[i];
    napi_handle_scope scope = nullptr;
    napi_open_handle_scope(env, &scope);
    napi_value object = nullptr;
    napi_get_reference_value(env, p.ref, &object);
    if (object) {
      s->pins[kept++] = p;
    } else {
      release_pin(env, s->handle, p);
      napi_value id = nullptr;
      napi_create_uint32(env, p.id, &id);
      napi_set_element(env, dead, static_cast<uint32_t>(i - kept), id);
    }
    napi_close_handle_scope(env, scope);
  }
  s->pins.resize(kept);
  return dead;
}

// tellCollector(bytes): what the pins hold has grown by so much.
napi_value TellCollector(napi_env env, napi_callback_info info) {
  Args a(env, info);
  int64_t now = 0;
  napi_adjust_external_memory(env, static_cast<int64_t>(a.d(0)), &now);
  return a.status(EVE_OK);
}

// collect(): the collector runs at once when it is told of very much memory.
napi_value Collect(napi_env env, napi_callback_info info) {
  Args a(env, info);
  constexpr int64_t VERY_MUCH = int64_t{1} << 40;
  int64_t now = 0;
  napi_adjust_external_memory(env, VERY_MUCH, &now);
  napi_adjust_external_memory(env, -VERY_MUCH, &now);
  return a.status(EVE_OK);
}

// environments() -> how many of this process have opened a slab
napi_value Environments(napi_env env, napi_callback_info info) {
  Args a(env, info);
  return a.status(environments);
}

// reclaim(slab): see eve_reclaim
napi_value Reclaim(napi_env env, napi_callback_info info) {
  Args a(env, info);
  return a.status(eve_reclaim(a.handle(0), a.error()));
}

// pinObjects(slab) -> array of the objects that are alive
napi_value PinObjects(napi_env env, napi_callback_info info) {
  Args a(env, info);
  OpenSlab* s = a.slab(0);
  napi_value r = nullptr;
  napi_create_array(env, &r);
  uint32_t n = 0;
  for (size_t i = 0; s && i < s->pins.size(); i++) {
    napi_value object = nullptr;
    napi_get_reference_value(env, s->pins[i].ref, &object);
    if (object) napi_set_element(env, r, n++, object);
  }
  return r;
}

// ---- waiting ----

void wait_loop(Watcher* w) {
  // Not without end: `stop` may be set just before the sleep begins, and the wake-up is then missed.
  constexpr int64_t LOOK_AGAIN_MS = 1000;
  while (!w->stop) {
    uint64_t version = 0;
    eve_status s = eve_wait(w->slab, w->seen, LOOK_AGAIN_MS, &version, nullptr);
    if (w->stop || s < 0) return;
    if (s != EVE_OK) continue;
    w->seen = version;
    if (!w->pending.exchange(true)) napi_call_threadsafe_function(w->notify, w, napi_tsfn_nonblocking);
  }
}

void call_watcher(napi_env env, napi_value callback, void*, void* watcher) {
  if (!env) return;
  static_cast<Watcher*>(watcher)->pending = false;
  napi_value undefined = nullptr;
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, callback, 0, nullptr, nullptr);
}

// watchStart(slab, function, seen version): calls the function on this thread, at some time after each later commit. One a slab.
napi_value WatchStart(napi_env env, napi_callback_info info) {
  Args a(env, info);
  OpenSlab* s = a.slab(0);
  if (!s) return a.fail(EVE_E_HANDLE, "no such slab");
  if (s->watcher) return a.fail(EVE_E_ARG, "the slab is being watched already");
  auto w = std::make_unique<Watcher>();
  w->slab = s->handle;
  w->seen = a.size(2);
  napi_value name = nullptr;
  napi_create_string_utf8(env, "eve.watch", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, a.v[1], nullptr, name, 0, 1, nullptr, nullptr, nullptr, call_watcher, &w->notify) != napi_ok) {
    return a.fail(EVE_E_ARG, "not a function");
  }
  napi_unref_threadsafe_function(env, w->notify);
  // After the threadsafe function's own hook, so run before it: the thread has ended when Node closes it.
  napi_add_env_cleanup_hook(env, stop_watcher, w.get());
  w->thread = std::thread(wait_loop, w.get());
  s->watcher = std::move(w);
  return a.status(EVE_OK);
}

// watchRef(slab, keep the process alive?)
napi_value WatchRef(napi_env env, napi_callback_info info) {
  Args a(env, info);
  OpenSlab* s = a.slab(0);
  if (!s || !s->watcher) return a.fail(EVE_E_ARG, "the slab is not being watched");
  if (a.i(1)) napi_ref_threadsafe_function(env, s->watcher->notify);
  else napi_unref_threadsafe_function(env, s->watcher->notify);
  return a.status(EVE_OK);
}

// watchStop(slab)
napi_value WatchStop(napi_env env, napi_callback_info info) {
  Args a(env, info);
  OpenSlab* s = a.slab(0);
  if (s && s->watcher) {
    napi_remove_env_cleanup_hook(env, stop_watcher, s->watcher.get());
    stop_watcher(s->watcher.get());
    s->watcher.reset();
  }
  return a.status(EVE_OK);
}

// ---- transactions ----

uint32_t group_handle(const Args& a, int slab, int id) {
  Pin* p = a.u(id) ? find_pin(a.slab(slab), a.u(id)) : nullptr;
  return p ? p->group : 0;
}

// txnBegin(slab, group): id, view
napi_value TxnBegin(napi_env env, napi_callback_info info) {
  Args a(env, info);
  eve_txn txn = 0;
  eve_view v{};
  eve_status s = eve_txn_begin(a.handle(0), group_handle(a, 0, 1), &txn, &v, a.error());
  if (s != EVE_OK) return a.status(s);
  put_view(a.data->out, v);
  auto& txns = a.data->txns;
  size_t n = 0;
  while (n < txns.size() && txns[n]) n++;
  if (n == txns.size()) txns.push_back(0);
  txns[n] = txn;
  a.data->out->id = static_cast<uint32_t>(n);
  return a.status(s);
}

// txnGet(txn, atom): word
napi_value TxnGet(napi_env env, napi_callback_info info) {
  Args a(env, info);
  return a.status(eve_txn_get(a.txn(0), a.word(1), &a.data->out->word, a.error()));
}

// txnSet(txn, atom, value)
napi_value TxnSet(napi_env env, napi_callback_info info) {
  Args a(env, info);
  return a.status(eve_txn_set(a.txn(0), a.word(1), a.word(3), a.error()));
}

// txnRemove(txn, atom)
napi_value TxnRemove(napi_env env, napi_callback_info info) {
  Args a(env, info);
  return a.status(eve_txn_remove(a.txn(0), a.word(1), a.error()));
}

void forget_txn(const Args& a) {
  uint32_t n = a.u(0);
  if (n < a.data->txns.size()) a.data->txns[n] = 0;
}

// txnCommit(txn, escaped): view
napi_value TxnCommit(napi_env env, napi_callback_info info) {
  Args a(env, info);
  eve_view v{};
  eve_status s = eve_txn_commit(a.txn(0), a.u(1), &v, a.error());
  forget_txn(a);
  if (s == EVE_OK) put_view(a.data->out, v);
  return a.status(s);
}

// txnAbort(txn, escaped)
napi_value TxnAbort(napi_env env, napi_callback_info info) {
  Args a(env, info);
  eve_status s = eve_txn_abort(a.txn(0), a.u(1), a.error());
  forget_txn(a);
  return a.status(s);
}

// txnBuild(txn, length): word
napi_value TxnBuild(napi_env env, napi_callback_info info) {
  Args a(env, info);
  uint64_t n = a.size(1);
  return a.status(eve_txn_build(a.txn(0), a.input(0, n), n, &a.data->out->word, a.error()));
}

// txnApply(txn, collection, op, length): word
napi_value TxnApply(napi_env env, napi_callback_info info) {
  Args a(env, info);
  uint64_t n = a.size(4);
  return a.status(eve_txn_apply(a.txn(0), 0, a.word(1), a.u(3), a.input(0, n), n, &a.data->out->word, a.error()));
}

// swap(slab, group, atom, op, length): view, word, old word
napi_value Swap(napi_env env, napi_callback_info info) {
  Args a(env, info);
  uint64_t n = a.size(5);
  eve_swapped r{};
  eve_status s = eve_swap(a.handle(0), group_handle(a, 0, 1), a.word(2), a.u(4), a.input(0, n), n, &r, a.error());
  if (s == EVE_OK) {
    put_view(a.data->out, r.view);
    a.data->out->word = r.value;
    a.data->out->old_word = r.old_value;
  }
  return a.status(s);
}

// ---- environment ----

void cleanup(void* data) {
  Data* d = static_cast<Data*>(data);
  for (eve_txn t : d->txns) {
    if (t) eve_txn_abort(t, 0, nullptr);
  }
  for (auto& s : d->slabs) {
    if (!s) continue;
    s->watcher.reset();  // its own hook, which ran before, has stopped the thread
    for (const Pin& p : s->pins) eve_group_close(s->handle, p.group, nullptr);
    eve_close(s->handle, nullptr);
  }
  if (d->counted) environments--;
  delete d;
}

struct Function {
  const char* name;
  napi_callback call;
};

constexpr Function FUNCTIONS[] = {
    {"setOutput", SetOutput}, {"setInput", SetInput}, {"error", LastError}, {"osError", OsError}, {"abiVersion", AbiVersion},
    {"open", Open}, {"close", Close}, {"memory", SlabMemory}, {"window", Window}, {"sync", Sync}, {"tool", RunTool}, {"toolStart", StartTool},
    {"intern", Symbol<eve_symbol_intern>}, {"find", Symbol<eve_symbol_find>},
    {"groupOpen", GroupOpen}, {"groupView", GroupView}, {"pinClose", PinClose}, {"pinPoll", PinPoll}, {"pinObjects", PinObjects},
    {"tellCollector", TellCollector}, {"collect", Collect}, {"environments", Environments}, {"reclaim", Reclaim},
    {"watchStart", WatchStart}, {"watchRef", WatchRef}, {"watchStop", WatchStop},
    {"txnBegin", TxnBegin}, {"txnGet", TxnGet}, {"txnSet", TxnSet}, {"txnRemove", TxnRemove}, {"txnCommit", TxnCommit},
    {"txnAbort", TxnAbort}, {"txnBuild", TxnBuild}, {"txnApply", TxnApply}, {"swap", Swap},
};

}  // namespace

NAPI_MODULE_INIT() {
  Data* data = new Data();
  data->env = env;
  napi_add_env_cleanup_hook(env, cleanup, data);
  for (const Function& f : FUNCTIONS) {
    napi_value fn = nullptr;
    napi_create_function(env, f.name, NAPI_AUTO_LENGTH, f.call, data, &fn);
    napi_set_named_property(env, exports, f.name, fn);
  }
  return exports;
}
