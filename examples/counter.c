/* counter FILE [N]: adds 1 to the atom :app/hits of the slab FILE, N times (default 1), and prints its value.
 * Run it from several shells at once: the sum is exact. */
#include <eve.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static eve_error err;

static void check(eve_status status) {
    if (status < 0) {
        fprintf(stderr, "counter: %s\n", err.message);
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE [N]\n", argv[0]);
        return 2;
    }
    long n = argc > 2 ? atol(argv[2]) : 1;

    eve_slab slab;
    eve_word hits;
    check(eve_open(argv[1], NULL, &slab, &err));
    check(eve_symbol_intern(slab, 0, (const uint8_t *)"app", 3, (const uint8_t *)"hits", 4, &hits, &err));

    /* A build buffer (docs/format.md, section 4): op 3, then the integer 1. */
    const uint8_t one[9] = {3, 1};
    eve_swapped swapped;
    for (long i = 0; i < n;) {
        eve_status status = eve_swap(slab, 0, hits, EVE_OP_ADD, one, sizeof one, &swapped, &err);
        check(status);
        if (status == EVE_OK) {
            i++;
            continue;
        }
        /* No such atom yet: make it, in a transaction that fails if somebody else is first. */
        const uint8_t zero[9] = {3};
        eve_txn txn;
        eve_word value;
        check(eve_txn_begin(slab, 0, &txn, NULL, &err));
        if (eve_txn_get(txn, hits, &value, &err) == EVE_NOT_FOUND) {
            check(eve_txn_build(txn, zero, sizeof zero, &value, &err));
            check(eve_txn_set(txn, hits, value, &err));
        }
        check(eve_txn_commit(txn, 0, NULL, &err));
    }

    eve_snapshot snapshot;
    eve_view view;
    eve_word value;
    int64_t count = 0;
    check(eve_snapshot_open(slab, &snapshot, &view, &err));
    check(eve_get(slab, view.state, hits, &value, &err));
    check(eve_to_i64(slab, value, &count, &err));
    printf("version %" PRIu64 ": :app/hits is %" PRId64 "\n", view.version, count);
    check(eve_snapshot_close(snapshot, &err));
    check(eve_close(slab, &err));
    return 0;
}
