/* NULL, closed and made-up arguments: an error with a text, never a crash. */
#include <eve.h>

#include "check.h"

#define FAILS(call)                                              \
    do {                                                         \
        memset(&err, 0, sizeof err);                             \
        eve_status status = (call);                              \
        CHECK(status < 0 && status != EVE_E_PANIC);              \
        CHECK(err.code == status && err.message[0] != 0);        \
    } while (0)

int main(int argc, char **argv) {
    (void)argc;
    eve_slab slab, closed;
    eve_txn txn;
    eve_view view;
    eve_word w;
    eve_iter iter;
    eve_snapshot snapshot;
    uint64_t n;
    uint8_t byte = 0;

    FAILS(eve_open(NULL, NULL, &slab, &err));
    FAILS(eve_open(argv[1], NULL, NULL, &err));
    FAILS(eve_open("/", NULL, &slab, &err));
    FAILS(eve_open("", NULL, &slab, &err));
    FAILS(eve_open("/no/such/folder/x.slab", NULL, &slab, &err));
    eve_options odd = {sizeof odd, 64, 0, 0, 0, 0, 0};
    FAILS(eve_open(argv[1], &odd, &slab, &err));
    odd.flags = 0;
    odd.size = 3;
    FAILS(eve_open(argv[1], &odd, &slab, &err));
    odd.size = sizeof odd;
    odd.sync_mode = 3;
    FAILS(eve_open(argv[1], &odd, &slab, &err));
    odd.sync_mode = EVE_SYNC_COMMIT;
    odd.sync_interval_ms = 5;
    FAILS(eve_open(argv[1], &odd, &slab, &err));
    odd.sync_mode = odd.sync_interval_ms = 0;
    const uint32_t contradictions[] = {EVE_MUST_EXIST | EVE_CREATE, EVE_MUST_EXIST | EVE_EXCLUSIVE_NEW, EVE_READ_ONLY | EVE_EXCLUSIVE_NEW};
    for (size_t i = 0; i < sizeof contradictions / sizeof *contradictions; i++) {
        odd.flags = contradictions[i];
        FAILS(eve_open(argv[1], &odd, &slab, &err));
    }
    odd.flags = 0;
    odd.mode = 07777;
    FAILS(eve_open(argv[1], &odd, &slab, &err));

    OK(eve_open(argv[1], NULL, &closed, &err));
    OK(eve_close(closed, &err));
    FAILS(eve_close(closed, &err));
    const uint64_t bad[] = {0, 1, closed, closed + 1, UINT64_MAX, 0x100000001, 0xdeadbeefdeadbeef};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FAILS(eve_close(bad[i], &err));
        FAILS(eve_txn_begin(bad[i], 0, &txn, NULL, &err));
        FAILS(eve_txn_commit(bad[i], 0, &view, &err));
        FAILS(eve_txn_abort(bad[i], 0, &err));
        FAILS(eve_txn_set(bad[i], 0, 0, &err));
        FAILS(eve_map_assoc(bad[i], 0, 0, 0, 0, &w, &err));
        FAILS(eve_iter_next(bad[i], &w, &w, &err));
        FAILS(eve_snapshot_close(bad[i], &err));
        FAILS(eve_get(bad[i], 0, 0, &w, &err));
        FAILS(eve_swap(bad[i], 0, 0, 0, &byte, 1, NULL, &err));
    }

    OK(eve_open(argv[1], NULL, &slab, &err));
    OK(eve_txn_begin(slab, 0, &txn, NULL, &err));
    FAILS(eve_txn_begin(slab, 0, NULL, NULL, &err));
    FAILS(eve_txn_begin(slab, 77, &txn, NULL, &err));
    FAILS(eve_group_close(slab, 77, &err));
    FAILS(eve_group_close(slab, 0, &err));
    FAILS(eve_txn_build(txn, NULL, 10, &w, &err));
    FAILS(eve_txn_build(txn, &byte, 0, &w, &err));
    FAILS(eve_txn_build(txn, &byte, 1, NULL, &err));
    /* words that lead nowhere, in every place that takes one */
    const eve_word words[] = {16, 0x300000, 0x300010, 0x7ffffffffffffff0, 0xfffffffffffffff0, 8, 0x84, 0xa4, 0xfffffff4};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        eve_word x = words[i];
        CHECK(eve_count(slab, x, &n, &err) <= 0);
        FAILS(eve_map_assoc(txn, 0, x, 3, 3, &w, &err));
        FAILS(eve_vec_conj(txn, 0, x, 3, &w, &err));
        FAILS(eve_set_conj(txn, 0, x, 3, &w, &err));
        FAILS(eve_list_conj(txn, x, 3, &w, &err));
        FAILS(eve_print(slab, x, NULL, 0, &n, &err));
        FAILS(eve_hash(slab, x, (uint32_t *)&n, &err));
        FAILS(eve_iter_open(slab, x, &iter, &err));
        CHECK(eve_get(slab, x, 3, &w, &err) != EVE_OK);
        CHECK(eve_nth(slab, x, 0, &w, &err) != EVE_OK);
    }
    FAILS(eve_txn_apply(txn, 0, 0, 99, NULL, 0, &w, &err));
    FAILS(eve_symbol_intern(slab, 2, NULL, -1, &byte, 1, &w, &err));
    FAILS(eve_symbol_intern(slab, 0, NULL, -1, (const uint8_t *)"\xff\xfe", 2, &w, &err));

    /* A value that is broken inside can't be committed. */
    OK(eve_txn_set(txn, 3, 0x300010, &err));
    FAILS(eve_txn_commit(txn, 0, NULL, &err));
    FAILS(eve_txn_commit(txn, 0, NULL, &err));
    FAILS(eve_txn_finish(txn, 3, 0, EVE_OP_RESET, &byte, 1, 0, NULL, NULL, &err));
    OK(eve_txn_begin(slab, 0, &txn, NULL, &err));
    FAILS(eve_txn_finish(txn, 3, 0x300010, EVE_OP_CONJ, &byte, 1, 0, NULL, NULL, &err));
    FAILS(eve_txn_abort(txn, 0, &err));
    OK(eve_txn_begin(slab, 0, &txn, NULL, &err));
    FAILS(eve_txn_finish(txn, 3, 0, EVE_OP_RESET, NULL, 10, 0, NULL, NULL, &err));
    FAILS(eve_txn_abort(txn, 0, &err));

    OK(eve_txn_begin(slab, 0, &txn, NULL, &err));
    OK(eve_snapshot_open(slab, &snapshot, &view, &err));
    OK(eve_iter_open(slab, view.state, &iter, &err));
    /* handles of another kind, though all of these are the only ones of theirs */
    const uint64_t others[] = {slab, txn, snapshot, iter};
    for (size_t i = 0; i < 4; i++) {
        if (others[i] != slab) FAILS(eve_close(others[i], &err));
        if (others[i] != txn) FAILS(eve_txn_abort(others[i], 0, &err));
        if (others[i] != snapshot) FAILS(eve_snapshot_close(others[i], &err));
        if (others[i] != iter) FAILS(eve_iter_close(others[i], &err));
        for (size_t k = 0; k < i; k++) CHECK(others[i] != others[k]);
    }
    OK(eve_close(slab, &err));
    FAILS(eve_txn_build(txn, &byte, 1, &w, &err));
    FAILS(eve_iter_next(iter, &w, &w, &err));
    FAILS(eve_get(slab, view.state, 3, &w, &err));
    OK(eve_iter_close(iter, &err));
    OK(eve_snapshot_close(snapshot, &err));
    CHECK(eve_txn_abort(txn, 0, &err) <= 0);
    CHECK(eve_open(argv[1], NULL, &slab, NULL) == EVE_OK);
    CHECK(eve_get(slab + 1, 0, 0, &w, NULL) < 0);
    return 0;
}
