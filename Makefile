# weir: one Makefile. `make help` lists what it can do. Generated files stay in build/.

MODE ?= release
CC ?= gcc
CXX ?= g++
ifeq ($(origin CC),default)
CC = gcc
endif
VERSION = 0.1.0
PREFIX ?= /usr/local
B = build/$(MODE)
V ?= @

# ---- Files: each list is the table of contents of its folder -----------------------------------
BASE = alloc arena buf error fault hash populate text
DSL = source diag diag_render ast ast_call ast_pattern ast_match ast_query ast_statement report report_habit parse \
      fmt fmt_doc fmt_expr fmt_pattern fmt_query fmt_expand
VM = type array decimal calendar text text_time json zone regexp scalar opcode builtin builtin_number builtin_text builtin_time builtin_array \
     batch exec frame exec_batch exec_row exec_other program program_io verify verify_code verify_node verify_pattern \
     disasm bytecode_page pattern_class pattern_kept identity meaning_code limits
VM_CXX = shortest
COMPILER = compile settings declare declare_stream names relation types check_expr check_operator check_call check_array condition expr_walk foreign query window output \
           ir fold share prune emit finish \
           streams automaton automaton_expand pattern pattern_keys pattern_result pattern_tree pattern_scope pattern_call pattern_define pattern_contradict pattern_warn explain explain_words explain_bound explain_pattern explain_text explain_dot explain_json
RUNTIME = row_code clock codec timers scratch chunk reorder drops operator task source unseen select merge late sink output published state \
          roundtrip changes checkpoint state_check checkpoint_form checkpoint_record key_set segment_reader recover state_view state_show state_copy catch_up upgrade upgrade_report bound bind engine push watch coverage weir weir_compile \
          slab strings keytable keytable_grow aggregate aggregate_result aggregate_set aggregate_state \
          window window_emit window_state task_limits store store_form store_scan store_write store_cold cold store_pages store_directory saver \
          pattern pattern_plan pattern_row pattern_trace pattern_trace_text match_general match_general_state match_thread match_special match_link match_condition match_rows match_decide match_limit match_output match_row \
          match_sequence match_sequence_state match_sequence_picture match_group match_group_table match_group_node match_group_state match_state
CONNECTORS = byte_source compress csv_encoder csv_reader csv_scan decode decode_number decompress encode \
             file_writer infer infer_csv infer_json json_encoder json_reader json_walk library window
CONNECTORS_CXX = simdjson_shim
CLI = main args files run table declare language walk why_text why_copy why_aside why_json why_test cmd_why wtest_line wtest_parse wtest_hint wtest_program wtest_record wtest_run wtest_vary wtest_value wtest_compare wtest_why \
      wtest_text wtest_cover mutate_query mutate_expr mutate_pattern mutate_case mutate_probe mutate mutate_report file_watch wtest_report wtest_update wtest_fmt wtest_fence cmd_test cmd_query cmd_replay cmd_check cmd_compile cmd_explain cmd_fmt init_sample cmd_init cmd_help cmd_state cmd_version cmd_completion
TESTS = runtime/test_pattern compiler/test_automaton compiler/test_explain compiler/test_types compiler/test_fold compiler/test_flow compiler/test_memory compiler/test_listing runtime/test_upgrade runtime/test_bound runtime/test_reorder runtime/test_timers runtime/test_time runtime/test_drops runtime/test_engine runtime/test_push runtime/test_order runtime/test_memory \
        dsl/test_lexer dsl/test_parse dsl/test_fmt dsl/test_diag \
        vm/test_exec vm/test_text vm/test_logic vm/test_builtin vm/test_program \
        base/test_simd base/test_memory base/test_text runtime/test_keytable runtime/test_slab runtime/test_store runtime/test_saver runtime/test_segment_reader runtime/test_published runtime/test_store_faults runtime/test_aggregate runtime/test_window \
        connectors/test_json_reader connectors/test_json_property connectors/test_csv_reader \
        connectors/test_files connectors/test_resume connectors/test_encoder connectors/test_infer

OBJECTS = $(BASE:%=base/%) $(DSL:%=dsl/%) dsl/lexer dsl/grammar $(VM:%=vm/%) $(VM_CXX:%=vm/%) $(COMPILER:%=compiler/%) \
          $(RUNTIME:%=runtime/%) $(CONNECTORS:%=connectors/%) $(CONNECTORS_CXX:%=connectors/%)
LIB_O = $(OBJECTS:%=$B/%.o)
CLI_O = $(CLI:%=$B/cli/%.o)

# ---- Flags -------------------------------------------------------------------------------------
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wundef \
       -Wwrite-strings -Wvla -Wdouble-promotion $(WERROR)
# A warning ends the build where this is set to -Werror, as CI does; another compiler's new warning stops no user.
WERROR ?=
OPT_release = -O3 -g
OPT_clang = -O2 -g
OPT_debug = -O0 -g -DWR_DEBUG -DWR_FAULTS
OPT_asan = -O1 -g -DWR_DEBUG -DWR_FAULTS -fsanitize=address -fno-omit-frame-pointer
OPT_ubsan = -O1 -g -DWR_DEBUG -fsanitize=undefined -fno-sanitize-recover=all
OPT_tsan = -O1 -g -DWR_DEBUG -fsanitize=thread
OPT_fuzz = -O1 -g -DWR_DEBUG -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
OPT_hostile = -O1 -g -DWR_DEBUG -DWR_FAULTS -DWR_HOSTILE -fsanitize=address,undefined -fno-sanitize-recover=all
OPT = $(OPT_$(MODE))
CFLAGS += -std=c11 -D_GNU_SOURCE -ffp-contract=off $(OPT) -I. -I$B -DWEIR_VERSION='"$(VERSION)"'
CXXFLAGS += -std=c++17 -ffp-contract=off $(OPT) -fno-sanitize=vptr -I. -DSIMDJSON_EXCEPTIONS=0 -Wall -Wextra -Wshadow $(WERROR)
LDLIBS = -llmdb -pthread -lsimdjson -lstdc++ -lpcre2-8 -lzstd -llz4 -lz -ljansson -lm
BIN = $(if $(filter release,$(MODE)),build/weir,$B/weir)

# ---- Rules -------------------------------------------------------------------------------------
.PHONY: torture all deps build demo test test-built check bench bench-scale bench-state bench-store fuzz golden pages clean install help
.DEFAULT_GOAL := build
.SECONDARY:
.DELETE_ON_ERROR:

build: $(BIN) ## build build/weir (MODE=release|debug|asan|ubsan|tsan|hostile: build/MODE/weir)

$(BIN): $(CLI_O) $B/libweir.a
	@mkdir -p $(@D)
	$V$(CC) $(OPT) -o $@ $(CLI_O) $B/libweir.a $(LDLIBS)

$B/libweir.a: $(LIB_O)
	$Vrm -f $@; ar rcs $@ $(LIB_O)

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	$V$(CC) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<

$B/%.o: %.cpp Makefile
	@mkdir -p $(@D)
	$V$(CXX) $(CXXFLAGS) -MMD -MP -c -o $@ $<

$B/dsl/grammar.c $B/dsl/grammar.h: dsl/grammar.y
	@mkdir -p $(@D)
	$Vbison -Wall $(WERROR) -Wcounterexamples --header=$B/dsl/grammar.h --report=all \
	  --report-file=$B/dsl/grammar.output -o $B/dsl/grammar.c $<

$B/dsl/lexer.c: dsl/lexer.re
	@mkdir -p $(@D)
	$Vre2c -W $(WERROR) --no-generation-date --no-version -o $@ $<

$B/dsl/%.o: $B/dsl/%.c $B/dsl/grammar.h
	$V$(CC) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<

$(DSL:%=$B/dsl/%.o): $B/dsl/grammar.h

$B/vm/exec_batch.o: OPT_release += -O3

room-%: ## compile one folder, e.g. make room-dsl
	@$(MAKE) --no-print-directory $(filter $B/$*/%,$(LIB_O) $(CLI_O))

deps: ## install what is missing to build and test (Debian, Ubuntu)
	@.ci/deps

# The first command on a bare machine: what is missing is installed before make looks at the sources again.
demo: deps ## install what is missing, build, and run the flights example
	@$(MAKE) --no-print-directory build
	@examples/flights/demo.sh $(BIN)

# ---- Tests -------------------------------------------------------------------------------------
TEST_BIN = $(TESTS:%=$B/tests/%)

test: deps ## everything that this machine can test in ten minutes
	@$(MAKE) --no-print-directory test-built

test-built: $(BIN) $(TEST_BIN)
	@python3 tests/run.py --weir $(BIN) $(ONLY:%=--only %) $(TEST_BIN)

# The long campaign: kills, losses of power and full disks; each named point; calls that fail, each in turn.
N ?= 5000
SEED ?= $(shell date +%s)
torture: build/weir ## kill weir N times and compare what it wrote (N=5000 SEED=…)
	@$(MAKE) --no-print-directory MODE=debug build
	@WEIR=build/weir python3 tests/torture/run.py --kills $(N) --seed $(SEED) --faults build/debug/weir --fails 1000
	@WEIR=build/debug/weir WEIR_STATE_CHECK=1 python3 tests/torture/run.py --kills 200 --seed $(SEED)

$B/tests/%: tests/%.c $B/libweir.a
	@mkdir -p $(@D)
	$V$(CC) $(CFLAGS) -Itests -Wall -Wextra -Wno-format-truncation $(WERROR) -MMD -MP -MF $@.d -o $@ $< $B/libweir.a -lcmocka $(LDLIBS)

golden: $(BIN) ## rewrite the expected texts of tests/cases; review the difference
	@WEIR=$(BIN) python3 tests/cases/run.py --golden
	@$(MAKE) --no-print-directory pages

pages: $(BIN) ## rewrite the generated pages of docs/
	@$(BIN) help --page bytecode > docs/bytecode.md
	@$(BIN) help --page errors > docs/errors.md
	@$(BIN) help --page functions > docs/functions.md
	@$(BIN) help --page settings > docs/settings.md

check: $(BIN) ## layout, includes, names, sizes, READMEs, generated pages
	@WEIR=$(BIN) python3 tests/check/house.py

bench: $(BIN) ## weir beside the machine's limits, in one run (PEERS=esper,flink,siddhi: beside those too)
	@WEIR_LDLIBS="$(LDLIBS)" python3 bench/run.py --weir $(BIN) --build build/bench --mode $(MODE) $(PEERS:%=--peers %) $(ONLY:%=--only %)

bench-state: $(BIN) ## what state on disk costs: pauses, throughput, bytes, a cold start
	@python3 bench/state.py --weir $(BIN) --build build/bench

bench-scale: $(BIN) ## cost per event while pattern, window and keys grow
	@python3 bench/scale.py --weir $(BIN) --build build/bench

bench-store: $B/libweir.a ## packing of state into LMDB values under churn (DIR=where: the disk that is measured)
	@mkdir -p build/bench
	$V$(CC) $(CFLAGS) $(WARN) -Wno-unused-result -o build/bench/store_bench bench/store_bench.c $< $(LDLIBS)
	@build/bench/store_bench $(or $(DIR),build/bench)

# ---- Fuzzing: libFuzzer, one target a run: make fuzz TARGET=fuzz_parse SECONDS=60 ------------------
TARGET ?= fuzz_program
SECONDS ?= 60
fuzz: ## fuzz one target of tests/fuzz (TARGET=fuzz_parse|fuzz_program|fuzz_json|fuzz_csv SECONDS=60)
	@$(MAKE) --no-print-directory MODE=fuzz CC=clang CXX=clang++ build/fuzz/tests/fuzz/$(TARGET)
	@mkdir -p build/fuzz/corpus/$(TARGET)
	build/fuzz/tests/fuzz/$(TARGET) -max_total_time=$(SECONDS) -timeout=10 build/fuzz/corpus/$(TARGET) \
	  $(wildcard tests/fuzz/corpus/$(TARGET))

$B/tests/fuzz/%: tests/fuzz/%.c $B/libweir.a
	@mkdir -p $(@D)
	$V$(CC) $(CFLAGS) -fsanitize=fuzzer,address,undefined -o $@ $< $B/libweir.a $(LDLIBS)

install: $(BIN) ## install weir, its header and library (PREFIX, DESTDIR)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/weir
	install -m 644 include/weir.h $(DESTDIR)$(PREFIX)/include/weir.h
	install -m 644 $B/libweir.a $(DESTDIR)$(PREFIX)/lib/libweir.a

clean: ## remove build/
	rm -rf build

help: ## this list
	@grep -hE '^[a-z%-]+:.*##' Makefile | sed -E 's/^([a-z%-]+):.*## /\1\t/' | expand -t 12

-include $(LIB_O:.o=.d) $(CLI_O:.o=.d) $(TEST_BIN:%=%.d)
