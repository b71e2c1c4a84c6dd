/* Allocation, its failure, arenas and growable arrays. */
#include "base/arena.h"
#include "base/populate.h"
#include "base/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void every_allocation_is_counted(void **state)
{
    WR_UNUSED(state);
    uint64_t before = wr_alloc_count();
    char *a = wr_alloc(0), *b = wr_alloc_zero(100), *c = wr_alloc_aligned(64, 10), *d = wr_strdup("text");
    assert_non_null(a);
    for (int i = 0; i < 100; i++) assert_int_equal(b[i], 0);
    assert_true((uintptr_t)c % 64 == 0);
    assert_string_equal(d, "text");
    b = wr_realloc(b, 200);
    assert_int_equal(wr_alloc_count() - before, 5);
    wr_free(a);
    wr_free(b);
    wr_free(c);
    wr_free(d);
    wr_free(NULL);
    assert_int_equal(wr_alloc_count() - before, 5);
}

/* Builds something in an arena with the n-th allocation failing; true when memory ran out. */
static bool build(struct wr_arena *arena, uint64_t fail_at)
{
    struct wr_memory_guard guard;
    if (WR_MEMORY_GUARD(&guard)) return true;
    wr_alloc_fail_at(fail_at);
    for (int i = 0; i < 100; i++) wr_arena_alloc(arena, 1000);
    wr_alloc_fail_at(0);
    wr_memory_guard_pop(&guard);
    return false;
}

static void memory_that_runs_out_comes_back_to_the_guard(void **state)
{
    WR_UNUSED(state);
    bool failed = true;
    uint64_t n = 1;
    for (; failed && n < 100; n++) {
        struct wr_arena arena;
        wr_arena_init(&arena);
        failed = build(&arena, n);
        wr_alloc_fail_at(0);
        wr_arena_release(&arena); /* what was built so far is whole */
    }
    assert_true(n > 3 && !failed);
}

static bool inner_failed;

static void fail_inside(void)
{
    struct wr_memory_guard inner;
    if (WR_MEMORY_GUARD(&inner)) {
        inner_failed = true;
        return;
    }
    wr_alloc_fail_at(1);
    wr_free(wr_alloc(1));
    wr_memory_guard_pop(&inner);
}

static void guards_nest(void **state)
{
    WR_UNUSED(state);
    struct wr_memory_guard outer;
    static volatile int outer_failed;
    if (WR_MEMORY_GUARD(&outer)) {
        outer_failed = 1;
    } else {
        fail_inside();
        assert_true(inner_failed && !outer_failed);
        wr_alloc_fail_at(1);
        wr_free(wr_alloc(1)); /* unwinds to the outer one now */
    }
    assert_int_equal(outer_failed, 1);
}

static void arenas_align_copy_and_start_again(void **state)
{
    WR_UNUSED(state);
    struct wr_arena arena;
    wr_arena_init(&arena);
    for (size_t size = 0; size < 3000; size += 7) {
        char *p = wr_arena_alloc_zero(&arena, size);
        assert_true((uintptr_t)p % 16 == 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    assert_true(arena.used > 600000);
    char *large = wr_arena_alloc(&arena, 5 << 20);
    memset(large, 1, 5 << 20);
    struct wr_slice copy = wr_arena_copy(&arena, wr_slice_of("ab\0c", 4));
    assert_memory_equal(copy.data, "ab\0c\0", 5);
    assert_int_equal(wr_arena_copy(&arena, (struct wr_slice){0}).size, 0);
    assert_string_equal(wr_arena_cstr(&arena, WR_SLICE("text")), "text");
    struct wr_slice text = wr_arena_printf(&arena, "%s %d", "number", 42);
    assert_true(wr_slice_equal(text, WR_SLICE("number 42")) && text.data[text.size] == 0);
    wr_arena_clear(&arena);
    assert_int_equal(arena.used, 0);
    uint64_t before = wr_alloc_count();
    for (int i = 0; i < 100; i++) wr_arena_alloc(&arena, 1000); /* in the block that was kept */
    assert_true(wr_alloc_count() == before);
    wr_arena_release(&arena);
    wr_arena_release(&arena);
}

/* What is written there stays, whether it is populated before, while or after it is written; freed memory does no harm. */
static void populated_memory_is_what_was_written(void **state)
{
    WR_UNUSED(state);
    enum { BLOCKS = 24, SIZE = 5 << 20 };
    assert_false(wr_alloc_is_watched());
    for (int round = 0; round < 3; round++) {
        struct wr_populator *populator = wr_populator_start();
        assert_true(!populator || wr_alloc_is_watched());
        unsigned char *block[BLOCKS];
        for (int i = 0; i < BLOCKS; i++) {
            block[i] = wr_alloc_aligned(64, SIZE);
            memset(block[i], i + 1, SIZE);
            if (i % 3 == 2) wr_free(block[i]);
        }
        if (round == 1) wr_populator_stop(populator);
        for (int i = 0; i < BLOCKS; i++) {
            if (i % 3 == 2) continue;
            for (size_t k = 0; k < SIZE; k += 997) assert_int_equal(block[i][k], i + 1);
            wr_free(block[i]);
        }
        if (round != 1) wr_populator_stop(populator);
        assert_false(wr_alloc_is_watched());
    }
    wr_populator_stop(NULL);
}

static void vectors_grow(void **state)
{
    WR_UNUSED(state);
    WR_VEC(int) v = {0};
    uint64_t before = wr_alloc_count();
    for (int i = 0; i < 10000; i++) wr_vec_push(&v, i);
    assert_true(wr_alloc_count() - before < 15);
    for (int i = 0; i < 10000; i++) assert_int_equal(v.at[i], i);
    assert_int_equal(wr_vec_last(&v), 9999);
    assert_int_equal(wr_vec_pop(&v), 9999);
    assert_int_equal(v.count, 9999);
    wr_vec_clear(&v);
    wr_vec_reserve(&v, 100000);
    assert_true(v.capacity >= 100000 && v.count == 0);
    wr_vec_release(&v);
    assert_null(v.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_is_counted),
        cmocka_unit_test(memory_that_runs_out_comes_back_to_the_guard),
        cmocka_unit_test(guards_nest),
        cmocka_unit_test(arenas_align_copy_and_start_again),
        cmocka_unit_test(populated_memory_is_what_was_written),
        cmocka_unit_test(vectors_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
