/* Every call of the ABI, once or more, on good arguments. */
#include <eve.h>

#include "check.h"

static eve_slab slab;

/* Clojure: (hash (list 2 1)) */
#define HASH_2_1 (-1994590503)

static eve_word keyword(const char *name) {
    eve_word w;
    OK(eve_symbol_intern(slab, 0, NULL, -1, (const uint8_t *)name, strlen(name), &w, &err));
    return w;
}

static void prints_as(eve_word w, const char *expected) {
    char text[256];
    uint64_t len;
    OK(eve_print(slab, w, text, sizeof text, &len, &err));
    CHECK(len == strlen(expected) && memcmp(text, expected, len) == 0);
}

static void values(eve_txn txn, eve_word *out) {
    eve_word v = 0, m, s, l, w, key, text;
    uint32_t token, kind, hash;
    int32_t same;
    uint64_t n;
    const uint8_t empty_vector[5] = {16}, empty_map[5] = {19}, empty_set[5] = {18}, empty_list[5] = {17};
    const uint8_t long_text[] = {6, 12, 0, 0, 0, 'h', 'e', 'l', 'l', 'o', ' ', 's', 'h', 'a', 'r', 'e', 'd'};
    OK(eve_txn_build(txn, empty_vector, sizeof empty_vector, &v, &err));
    OK(eve_txn_build(txn, empty_map, sizeof empty_map, &m, &err));
    OK(eve_txn_build(txn, empty_set, sizeof empty_set, &s, &err));
    OK(eve_txn_build(txn, empty_list, sizeof empty_list, &l, &err));
    OK(eve_txn_build(txn, long_text, sizeof long_text, &text, &err));
    OK(eve_token(txn, &token, &err));
    CHECK(token != 0);
    for (uint64_t i = 0; i < 100; i++) OK(eve_vec_conj(txn, token, v, i * 2 + 1, &v, &err)); /* the word of the integer i */
    OK(eve_vec_assoc(txn, 0, v, 7, text, &v, &err));
    OK(eve_vec_assoc(txn, 0, v, 100, 0, &v, &err));
    OK(eve_vec_pop(txn, 0, v, &v, &err));
    OK(eve_count(slab, v, &n, &err));
    CHECK(n == 100);
    OK(eve_nth(slab, v, 7, &w, &err));
    prints_as(w, "\"hello shared\"");
    CHECK(eve_nth(slab, v, 100, &w, &err) == EVE_NOT_FOUND);

    OK(eve_set_conj(txn, 0, s, text, &s, &err));
    OK(eve_set_conj(txn, 0, s, keyword("x"), &s, &err));
    OK(eve_set_disj(txn, 0, s, keyword("x"), &s, &err));
    prints_as(s, "#{\"hello shared\"}");
    OK(eve_list_conj(txn, l, 3, &l, &err));
    OK(eve_list_conj(txn, l, 5, &l, &err));
    prints_as(l, "(2 1)");

    key = keyword("list");
    OK(eve_map_assoc(txn, 0, m, key, l, &m, &err));
    OK(eve_map_assoc(txn, 0, m, text, v, &m, &err));
    OK(eve_map_assoc(txn, 0, m, keyword("gone"), v, &m, &err));
    OK(eve_map_dissoc(txn, 0, m, keyword("gone"), &m, &err));
    OK(eve_map_assoc(txn, 0, m, keyword("set"), s, &m, &err));
    OK(eve_get(slab, m, key, &w, &err));
    CHECK(w == l);
    OK(eve_get_string(slab, m, "hello shared", 12, &w, &err));
    CHECK(w == v);
    OK(eve_get_keyword(slab, m, "set", &w, &err));
    CHECK(w == s);
    OK(eve_get_key(slab, m, long_text, sizeof long_text, &w, &err));
    CHECK(w == v);
    CHECK(eve_get_keyword(slab, m, "never/seen", &w, &err) == EVE_NOT_FOUND);
    OK(eve_kind(slab, m, &kind, &err));
    CHECK(kind == EVE_MAP);
    OK(eve_hash(slab, l, &hash, &err));
    CHECK((int32_t)hash == HASH_2_1);
    OK(eve_equal(slab, m, m, &same, &err));
    CHECK(same == 1);
    OK(eve_equal(slab, m, l, &same, &err));
    CHECK(same == 0);

    /* conj of two elements in one call: a build buffer of two integers */
    const uint8_t two[18] = {3, 9, 0, 0, 0, 0, 0, 0, 0, 3, 8};
    OK(eve_txn_apply(txn, 0, l, EVE_OP_CONJ, two, sizeof two, &w, &err));
    prints_as(w, "(8 9 2 1)");
    CHECK(eve_txn_apply(txn, 0, text, EVE_OP_CONJ, two, sizeof two, &w, &err) == EVE_RERUN);
    *out = m;
}

/* The last operation, the atom's new value and the commit in one call. */
static void finishes(void) {
    const uint8_t two[18] = {3, 9, 0, 0, 0, 0, 0, 0, 0, 3, 8}, list[6] = {17, 1, 0, 0, 0, 1};
    eve_word name, w, state;
    eve_txn txn;
    eve_view view;
    uint32_t group;
    OK(eve_group_open(slab, &group, &err));
    name = keyword("finished");
    OK(eve_txn_begin(slab, group, &txn, NULL, &err));
    OK(eve_txn_finish(txn, name, 0, EVE_OP_RESET, list, sizeof list, 0, &view, &w, &err));
    prints_as(w, "(true)");
    CHECK(eve_txn_abort(txn, 0, &err) == EVE_E_HANDLE);
    state = view.state;
    OK(eve_txn_begin(slab, group, &txn, &view, &err));
    CHECK(view.state == state);
    OK(eve_txn_finish(txn, name, w, EVE_OP_CONJ, two, sizeof two, 0, &view, NULL, &err));
    OK(eve_get(slab, view.state, name, &w, &err));
    prints_as(w, "(8 9 true)");
    OK(eve_txn_begin(slab, group, &txn, NULL, &err));
    CHECK(eve_txn_finish(txn, name, w, EVE_OP_ASSOC, two, sizeof two, 0, NULL, NULL, &err) == EVE_RERUN);
    CHECK(eve_txn_abort(txn, 0, &err) == EVE_E_HANDLE);
    OK(eve_txn_begin(slab, group, &txn, NULL, &err));
    CHECK(eve_txn_finish(txn, name, w, 99, two, sizeof two, 0, NULL, NULL, &err) == EVE_E_ARG);
    CHECK(eve_txn_abort(txn, 0, &err) == EVE_E_HANDLE);
    /* another commit to the atom comes first */
    eve_swapped swapped;
    OK(eve_txn_begin(slab, group, &txn, NULL, &err));
    OK(eve_swap(slab, group, name, EVE_OP_POP, NULL, 0, &swapped, &err));
    CHECK(eve_txn_finish(txn, name, w, EVE_OP_CONJ, two, sizeof two, 0, &view, &w, &err) == EVE_CONFLICT);
    OK(eve_txn_begin(slab, group, &txn, NULL, &err));
    OK(eve_txn_remove(txn, name, &err));
    OK(eve_txn_commit(txn, 0, NULL, &err));
    OK(eve_group_close(slab, group, &err));
}

static void iterates(eve_word m) {
    eve_iter iter;
    eve_word k, v;
    int n = 0;
    OK(eve_iter_open(slab, m, &iter, &err));
    while (eve_iter_next(iter, &k, &v, &err) == EVE_OK) n++;
    CHECK(n == 3);
    OK(eve_iter_close(iter, &err));
}

static void scalars(eve_txn txn) {
    eve_word w;
    int64_t i;
    double d;
    int32_t b;
    uint64_t len;
    char text[64];
    uint8_t bytes[8];
    const uint8_t min[9] = {3, 0, 0, 0, 0, 0, 0, 0, 0x80}, pi[9] = {4, 0x18, 0x2d, 0x44, 0x54, 0xfb, 0x21, 0x09, 0x40}, yes[1] = {1};
    const uint8_t blob[8] = {15, 3, 0, 0, 0, 1, 2, 3};
    OK(eve_txn_build(txn, min, sizeof min, &w, &err));
    OK(eve_to_i64(slab, w, &i, &err));
    CHECK(i == INT64_MIN);
    OK(eve_txn_build(txn, pi, sizeof pi, &w, &err));
    OK(eve_to_f64(slab, w, &d, &err));
    CHECK(d > 3.14159 && d < 3.1416);
    CHECK(eve_to_i64(slab, w, &i, &err) == EVE_E_TYPE);
    OK(eve_txn_build(txn, yes, sizeof yes, &w, &err));
    OK(eve_to_bool(slab, w, &b, &err));
    CHECK(b == 1);
    OK(eve_txn_build(txn, blob, sizeof blob, &w, &err));
    OK(eve_bytes(slab, w, bytes, sizeof bytes, &len, &err));
    CHECK(len == 3 && bytes[2] == 3);
    OK(eve_symbol_intern(slab, 1, (const uint8_t *)"a.b", 3, (const uint8_t *)"c", 1, &w, &err));
    OK(eve_text(slab, w, text, sizeof text, &len, &err));
    CHECK(len == 5 && memcmp(text, "a.b/c", 5) == 0);
    OK(eve_text(slab, w, text, 2, &len, &err));
    CHECK(len == 5);
}

int main(int argc, char **argv) {
    (void)argc;
    eve_options options = {sizeof options, EVE_EXCLUSIVE_NEW, 0600, EVE_SYNC_COMMIT, 0, 0, 0};
    eve_memory memory;
    eve_snapshot snapshot;
    eve_view view, base;
    eve_txn txn;
    eve_word m, w, atom, found;
    eve_swapped swapped;
    uint32_t group, root;
    uint64_t version;

    OK(eve_open(argv[1], &options, &slab, &err));
    CHECK(eve_open(argv[1], &options, &slab, &err) < 0);
    /* As a program does that was compiled before the fields behind max_bytes were there: what follows is not its own. */
    eve_slab again;
    eve_options shorter = {24, EVE_MUST_EXIST, 0, EVE_SYNC_NONE, 0, 0xbad, 0xbad};
    OK(eve_open(argv[1], &shorter, &again, &err));
    OK(eve_close(again, &err));
    OK(eve_slab_memory(slab, &memory, &err));
    CHECK(memory.base != 0 && memory.read_only == 0);
    OK(eve_root_load(slab, &root, &err));
    atom = keyword("data");
    OK(eve_symbol_find(slab, 0, NULL, -1, (const uint8_t *)"data", 4, &found, &err));
    CHECK(found == atom);
    CHECK(eve_symbol_find(slab, 0, NULL, -1, (const uint8_t *)"nothing", 7, &found, &err) == EVE_NOT_FOUND);

    OK(eve_txn_begin(slab, 0, &txn, &base, &err));
    CHECK(eve_txn_get(txn, atom, &w, &err) == EVE_NOT_FOUND);
    values(txn, &m);
    iterates(m);
    scalars(txn);
    OK(eve_txn_set(txn, atom, m, &err));
    OK(eve_txn_get(txn, atom, &w, &err));
    CHECK(w == m);
    OK(eve_txn_commit(txn, 0, &view, &err));
    CHECK(view.version == base.version + 1);
    finishes();

    OK(eve_group_open(slab, &group, &err));
    OK(eve_group_view(slab, group, &view, &err));
    OK(eve_snapshot_open(slab, &snapshot, NULL, &err));
    /* dissoc: the key as a build buffer, a keyword without a namespace */
    const uint8_t key_list[] = {7, 0xff, 0xff, 4, 0, 'l', 'i', 's', 't'};
    OK(eve_swap(slab, group, atom, EVE_OP_DISSOC, key_list, sizeof key_list, &swapped, &err));
    CHECK(swapped.view.version == view.version + 1 && swapped.old_value == m);
    iterates(swapped.old_value);
    CHECK(eve_get_keyword(slab, swapped.value, "list", &w, &err) == EVE_NOT_FOUND);
    CHECK(eve_swap(slab, 0, keyword("none"), EVE_OP_POP, NULL, 0, &swapped, &err) == EVE_NOT_FOUND);
    CHECK(eve_swap(slab, 0, atom, EVE_OP_POP, NULL, 0, &swapped, &err) == EVE_RERUN);
    OK(eve_snapshot_close(snapshot, &err));

    /* a value of an older version comes into a transaction as a copy */
    OK(eve_txn_begin(slab, group, &txn, &base, &err));
    OK(eve_txn_import(txn, view.version, m, &w, &err));
    CHECK(w != m);
    iterates(w);
    OK(eve_txn_remove(txn, atom, &err));
    OK(eve_txn_set(txn, keyword("other"), w, &err));
    OK(eve_txn_commit(txn, 1, &view, &err));
    CHECK(eve_get(slab, view.state, atom, &w, &err) == EVE_NOT_FOUND);
    OK(eve_txn_begin(slab, 0, &txn, NULL, &err));
    OK(eve_txn_abort(txn, 0, &err));
    OK(eve_group_close(slab, group, &err));

    CHECK(eve_wait(slab, view.version, 10, &version, &err) == EVE_TIMEOUT);
    OK(eve_wait(slab, base.version, -1, &version, &err));
    OK(eve_wake(slab, &err));
    OK(eve_sync(slab, &version, &err));
    CHECK(version == view.version);

    eve_report report;
    uint64_t length = 1, before, after;
    char copy[4096];
    OK(eve_verify(slab, &report, NULL, 0, &length, &err));
    CHECK(report.findings == 0 && length == 0 && report.version == view.version && report.reachable_objects > 0);
    eve_gc_report gc;
    OK(eve_gc(slab, &gc, &err));
    CHECK(gc.version == view.version && gc.live_objects > 0);
    OK(eve_gc(slab, NULL, &err));
    snprintf(copy, sizeof copy, "%s.backup", argv[1]);
    remove(copy);
    OK(eve_backup(slab, copy, &version, &err));
    CHECK(version == view.version);
    CHECK(eve_backup(slab, copy, NULL, &err) == EVE_E_ARG && strstr(err.message, "exists already"));
    snprintf(copy, sizeof copy, "%s.compact", argv[1]);
    remove(copy);
    OK(eve_compact(slab, copy, &before, &after, &err));
    CHECK(before >= after && after > 0);
    CHECK(eve_compact(slab, NULL, NULL, NULL, &err) == EVE_E_ARG && eve_verify(slab, NULL, NULL, 0, NULL, &err) == EVE_E_ARG);
    OK(eve_close(slab, &err));
    CHECK(eve_verify(slab, &report, NULL, 0, NULL, &err) == EVE_E_HANDLE);
    CHECK(eve_gc(slab, &gc, &err) == EVE_E_HANDLE);

    options.flags = EVE_MUST_EXIST;
    OK(eve_open(argv[1], &options, &slab, &err));
    OK(eve_snapshot_open(slab, &snapshot, &view, &err));
    OK(eve_get(slab, view.state, keyword("other"), &w, &err));
    iterates(w);
    OK(eve_close(slab, &err));
    OK(eve_open_anonymous(NULL, &slab, &err));
    OK(eve_close(slab, &err));
    return 0;
}
