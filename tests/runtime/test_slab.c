/* Slabs and strings by id, against arrays that hold the same. */
#include "base/alloc.h"
#include "base/hash.h"
#include "runtime/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static uint64_t random_state = 1;

static uint64_t random_below(uint64_t n)
{
    return wr_mix64(random_state++) % n;
}

enum { CELLS = 3000 };

static void cells_of_every_size_keep_what_is_written(void **state)
{
    WR_UNUSED(state);
    const size_t sizes[] = {1, 8, 24, 40, 1000, 65528, 200000};
    for (size_t s = 0; s < WR_COUNT(sizes); s++) {
        uint32_t cells = sizes[s] > 10000 ? 80 : CELLS;
        struct wr_slab slab;
        wr_slab_init(&slab, sizes[s]);
        assert_true(slab.cell_size % 8 == 0 && slab.cell_size >= sizes[s]);
        uint32_t id[CELLS] = {0}, live = 0;
        for (uint32_t round = 0; round < 4 * cells; round++) {
            uint32_t i = (uint32_t)random_below(cells);
            if (id[i]) {
                const unsigned char *cell = wr_slab_at(&slab, id[i]);
                assert_true(cell[0] == (unsigned char)i && cell[sizes[s] - 1] == (unsigned char)i);
                wr_slab_free(&slab, id[i]);
                id[i] = 0;
                live--;
            } else {
                id[i] = wr_slab_alloc(&slab);
                assert_int_not_equal(id[i], 0);
                assert_true((uintptr_t)wr_slab_at(&slab, id[i]) % 8 == 0);
                memset(wr_slab_at(&slab, id[i]), (int)(unsigned char)i, sizes[s]);
                live++;
            }
            assert_int_equal(slab.live, live);
        }
        assert_true(wr_slab_bytes(&slab) >= (uint64_t)live * slab.cell_size);
        wr_slab_release(&slab);
    }
}

static void a_cleared_slab_allocates_nothing_anew(void **state)
{
    WR_UNUSED(state);
    struct wr_slab slab;
    wr_slab_init(&slab, 24);
    for (int i = 0; i < 10000; i++) assert_int_equal(wr_slab_alloc(&slab), i + 1);
    wr_slab_clear(&slab);
    uint64_t before = wr_alloc_count();
    for (int i = 0; i < 10000; i++) assert_int_equal(wr_slab_alloc(&slab), i + 1);
    assert_true(wr_alloc_count() == before);
    wr_slab_release(&slab);
}

static void strings_come_back_as_they_went_in(void **state)
{
    WR_UNUSED(state);
    enum { STRINGS = 400 };
    struct wr_strings *strings = wr_strings_new();
    struct {
        uint32_t id, refs;
        size_t size;
        char first;
    } have[STRINGS] = {{0}};
    static char text[20000];
    for (uint32_t round = 0; round < 20000; round++) {
        uint32_t i = (uint32_t)random_below(STRINGS);
        if (have[i].refs == 0) {
            have[i].size = (size_t)random_below(random_below(10) ? 100 : sizeof text);
            have[i].first = (char)('a' + random_below(26));
            memset(text, have[i].first, have[i].size);
            have[i].id = wr_strings_add(strings, text, have[i].size);
            have[i].refs = 1;
            assert_true((have[i].id == 0) == (have[i].size == 0));
        } else if (random_below(3) == 0) {
            wr_strings_ref(strings, have[i].id);
            have[i].refs++;
        } else {
            bool gone = wr_strings_unref(strings, have[i].id);
            have[i].refs--;
            assert_true(gone == (have[i].refs == 0 && have[i].id != 0));
        }
        i = (uint32_t)random_below(STRINGS);
        if (have[i].refs == 0) continue;
        size_t size;
        const char *bytes = wr_strings_at(strings, have[i].id, &size);
        assert_int_equal(size, have[i].size);
        for (size_t k = 0; k < size; k++) assert_true(bytes[k] == have[i].first);
    }
    for (uint32_t i = 0; i < STRINGS; i++)
        for (; have[i].refs; have[i].refs--) wr_strings_unref(strings, have[i].id);
    uint64_t bytes = wr_strings_bytes(strings);
    wr_strings_clear(strings);
    assert_true(wr_strings_bytes(strings) == bytes); /* nothing large was left */
    wr_strings_free(strings);
}

static void clear_and_free_give_large_strings_back(void **state)
{
    WR_UNUSED(state);
    struct wr_strings *strings = wr_strings_new();
    static char text[100000];
    uint64_t empty = wr_strings_bytes(strings);
    uint32_t gone = wr_strings_add(strings, text, sizeof text);
    wr_strings_add(strings, text, sizeof text);
    wr_strings_unref(strings, gone);
    assert_true(wr_strings_bytes(strings) >= empty + sizeof text);
    wr_strings_clear(strings);
    assert_true(wr_strings_bytes(strings) < empty + sizeof text);
    wr_strings_add(strings, text, sizeof text);
    wr_strings_free(strings); /* the leak checker says whether all of it went */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_of_every_size_keep_what_is_written),
        cmocka_unit_test(a_cleared_slab_allocates_nothing_anew),
        cmocka_unit_test(strings_come_back_as_they_went_in),
        cmocka_unit_test(clear_and_free_give_large_strings_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
