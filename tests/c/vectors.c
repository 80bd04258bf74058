/* vectors CASES.TSV FOLDER: the conformance vectors, read through the ABI. Prints how many cases it checked. */
#include <eve.h>

#include "check.h"

static char line[4 << 20];
static char printed[1 << 20];

int main(int argc, char **argv) {
    CHECK(argc == 3);
    FILE *cases = fopen(argv[1], "r");
    CHECK(cases);
    eve_slab slab = 0;
    eve_snapshot snapshot = 0;
    eve_view view = {0, 0, 0, 0, 0, 0, 0};
    char open_group[64] = "";
    int n = 0;
    while (fgets(line, sizeof line, cases)) {
        char *field[5] = {line};
        for (int i = 1; i < 5; i++) {
            field[i] = strchr(field[i - 1], '\t');
            CHECK(field[i]);
            *field[i]++ = 0;
        }
        size_t expected = strlen(field[4]);
        if (field[4][expected - 1] == '\n') expected--;
        if (strcmp(open_group, field[0]) != 0) {
            char path[1024];
            if (slab) {
                OK(eve_snapshot_close(snapshot, &err));
                OK(eve_close(slab, &err));
            }
            CHECK(strlen(argv[2]) + strlen(field[0]) + 8 < sizeof path && strlen(field[0]) < sizeof open_group);
            strcpy(open_group, field[0]);
            strcat(strcat(strcat(strcpy(path, argv[2]), "/"), open_group), ".slab");
            OK(eve_open(path, NULL, &slab, &err));
            OK(eve_snapshot_open(slab, &snapshot, &view, &err));
        }
        eve_word value;
        uint32_t hash;
        uint64_t len;
        OK(eve_get_keyword(slab, view.state, field[1], &value, &err));
        OK(eve_hash(slab, value, &hash, &err));
        CHECK((int32_t)hash == atol(field[3]));
        if (strcmp(field[4], "-\n") != 0 && expected < sizeof printed && !strchr(field[4], 0x7f)) {
            OK(eve_print(slab, value, printed, sizeof printed, &len, &err));
            CHECK(len == expected && memcmp(printed, field[4], len) == 0);
        }
        n++;
    }
    printf("%d cases\n", n);
    return 0;
}
