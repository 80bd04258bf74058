/* Sorted maps and sets: orders, comparators, seeks, ranges. */
#include <eve.h>

#include "check.h"

static eve_slab slab;
static int calls;

/* The word of the integer i. */
static eve_word word(int64_t i) { return (eve_word)i << 1 | 1; }

static void prints_as(eve_word w, const char *expected) {
    char text[256];
    uint64_t len;
    OK(eve_print(slab, w, text, sizeof text, &len, &err));
    CHECK(len == strlen(expected) && memcmp(text, expected, len) == 0);
}

/* Integers by their last digit, then by value. */
static int32_t by_digit(void *context, eve_word a, eve_word b) {
    int64_t x, y;
    ++*(int *)context;
    if (eve_to_i64(slab, a, &x, NULL) != EVE_OK || eve_to_i64(slab, b, &y, NULL) != EVE_OK) return EVE_COMPARE_FAILED;
    if (x % 10 != y % 10) return x % 10 < y % 10 ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void natural(eve_txn txn) {
    eve_word m, s, w, k, v;
    uint32_t kind, token;
    uint64_t n;
    eve_iter iter;
    OK(eve_sorted_map(txn, EVE_NATURAL, &m, &err));
    OK(eve_token(txn, &token, &err));
    /* The calls of maps work on sorted ones. */
    for (int64_t i = 0; i < 500; i++) OK(eve_map_assoc(txn, token, m, word(i * 7 % 500), word(-i), &m, &err));
    OK(eve_count(slab, m, &n, &err));
    CHECK(n == 500);
    OK(eve_get(slab, m, word(7), &w, &err));
    CHECK(w == word(-1));
    OK(eve_map_dissoc(txn, 0, m, word(100), &m, &err));
    CHECK(eve_get(slab, m, word(100), &w, &err) == EVE_NOT_FOUND);
    OK(eve_kind(slab, m, &kind, &err));
    CHECK(kind == EVE_MAP);
    OK(eve_sorted_order(slab, m, &w, &err));
    CHECK(w == EVE_NATURAL);
    CHECK(eve_sorted_order(slab, word(1), &w, &err) == EVE_NOT_FOUND);

    struct { uint32_t seek; int64_t key; } seeks[] = {
        {EVE_SEEK_BEFORE, 99}, {EVE_SEEK_AT_MOST, 99}, {EVE_SEEK_AT_LEAST, 101}, {EVE_SEEK_BEYOND, 101}};
    for (int i = 0; i < 4; i++) {
        OK(eve_sorted_seek(slab, m, seeks[i].seek, word(100), NULL, &k, &v, &err));
        CHECK(k == word(seeks[i].key));
    }
    CHECK(eve_sorted_seek(slab, m, EVE_SEEK_EQUAL, word(100), NULL, &k, &v, &err) == EVE_NOT_FOUND);
    OK(eve_sorted_seek(slab, m, EVE_SEEK_EQUAL, word(101), NULL, &k, NULL, &err));
    CHECK(eve_sorted_seek(slab, m, EVE_SEEK_BEYOND, word(499), NULL, NULL, NULL, &err) == EVE_NOT_FOUND);
    CHECK(eve_sorted_seek(slab, m, 9, word(1), NULL, NULL, NULL, &err) == EVE_E_ARG);
    OK(eve_sorted_nth(slab, m, 0, &k, &v, &err));
    CHECK(k == word(0) && v == word(0));
    OK(eve_sorted_nth(slab, m, 100, &k, &v, &err));
    CHECK(k == word(101));
    CHECK(eve_sorted_nth(slab, m, 499, &k, &v, &err) == EVE_NOT_FOUND);

    /* From 10, backwards from before 20. */
    eve_range range = {word(10), word(20), EVE_FROM | EVE_TO | EVE_TO_EXCLUDED | EVE_BACKWARD, 0};
    OK(eve_sorted_range(slab, m, &range, NULL, &n, &iter, &err));
    CHECK(n == 10);
    for (int64_t i = 19; i >= 10; i--) {
        OK(eve_iter_next(iter, &k, &v, &err));
        CHECK(k == word(i));
    }
    CHECK(eve_iter_next(iter, &k, &v, &err) == EVE_END);
    OK(eve_iter_close(iter, &err));
    range.flags = EVE_FROM | EVE_FROM_EXCLUDED;
    OK(eve_sorted_range(slab, m, &range, NULL, &n, NULL, &err));
    CHECK(n == 488);
    range.flags = 32;
    CHECK(eve_sorted_range(slab, m, &range, NULL, &n, NULL, &err) == EVE_E_ARG);
    CHECK(eve_sorted_range(slab, m, NULL, NULL, &n, NULL, &err) == EVE_E_ARG);

    OK(eve_sorted_set(txn, EVE_REVERSE, &s, &err));
    for (int64_t i = 0; i < 5; i++) OK(eve_set_conj(txn, 0, s, word(i), &s, &err));
    OK(eve_set_disj(txn, 0, s, word(3), &s, &err));
    prints_as(s, "#{4 2 1 0}");
    CHECK(eve_set_conj(txn, 0, s, EVE_NATURAL, &w, &err) == EVE_OK); /* nil has an order */
    CHECK(eve_sorted_map(txn, word(1), &w, &err) == EVE_E_ARG);

    /* a sorted map in one call: nil, then 2 entries in any order */
    const uint8_t built[] = {23, 0, 2, 0, 0, 0, 3, 5, 0, 0, 0, 0, 0, 0, 0, 1, 3, 4, 0, 0, 0, 0, 0, 0, 0, 2};
    OK(eve_txn_build(txn, built, sizeof built, &w, &err));
    prints_as(w, "{4 false, 5 true}");
}

static void named(eve_txn txn) {
    eve_word name, s, w, k;
    uint64_t n;
    eve_comparator by = {by_digit, &calls}, none = {NULL, NULL};
    OK(eve_symbol_intern(slab, 0, (const uint8_t *)"by", 2, (const uint8_t *)"digit", 5, &name, &err));
    OK(eve_sorted_set(txn, name, &s, &err));
    OK(eve_sorted_order(slab, s, &w, &err));
    CHECK(w == name);
    for (int64_t i = 0; i < 30; i += 3) OK(eve_sorted_assoc(txn, 0, s, word(i), 0, &by, &s, &err));
    OK(eve_sorted_dissoc(txn, 0, s, word(12), &by, &s, &err));
    prints_as(s, "#{0 21 3 24 15 6 27 18 9}");
    CHECK(calls > 0);
    OK(eve_sorted_seek(slab, s, EVE_SEEK_AT_LEAST, word(2), &by, &k, NULL, &err));
    CHECK(k == word(3));
    eve_range range = {word(1), word(5), EVE_FROM | EVE_TO, 0};
    OK(eve_sorted_range(slab, s, &range, &by, &n, NULL, &err));
    CHECK(n == 3);
    /* Without the comparator: an error that names it. */
    CHECK(eve_set_conj(txn, 0, s, word(1), &w, &err) == EVE_E_TYPE);
    CHECK(strstr(err.message, "by/digit") != NULL);
    CHECK(eve_get(slab, s, word(1), &w, &err) == EVE_E_TYPE);
    CHECK(eve_sorted_assoc(txn, 0, s, word(1), 0, &none, &w, &err) == EVE_E_ARG);
    /* It may fail. */
    CHECK(eve_sorted_assoc(txn, 0, s, 0, 0, &by, &w, &err) == EVE_E_TYPE);
    prints_as(s, "#{0 21 3 24 15 6 27 18 9}");
}

int main(int argc, char **argv) {
    (void)argc;
    eve_options options = {sizeof options, EVE_EXCLUSIVE_NEW, 0600, EVE_SYNC_NONE, 0, 0, 0};
    eve_txn txn;
    OK(eve_open(argv[1], &options, &slab, &err));
    OK(eve_txn_begin(slab, 0, &txn, NULL, &err));
    natural(txn);
    named(txn);
    OK(eve_txn_abort(txn, 0, &err));
    OK(eve_close(slab, &err));
    return 0;
}
