# prescreen: `make demo` shows it, `make check` tests it. Both set up what they need first.
SHELL = /bin/bash
.DEFAULT_GOAL := all

VERSION  := 0.1.0
BUILD    ?= build/release
PREFIX   ?= /usr/local
ifeq ($(origin CC),default)
CC       := gcc
endif
OPT      ?= -O2
SANITIZE ?=

WARNINGS  := -Wall -Wextra -Wshadow -Wconversion -Werror
HARDENING := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=3)
CPPFLAGS  += -D_GNU_SOURCE -Iinclude -Isrc -isystem /usr/include/libxml2 -DPRESCREEN_VERSION='"$(VERSION)"' -DPRESCREEN_LIBEXECDIR='"$(PREFIX)/libexec/prescreen"'
CFLAGS    += -std=c17 $(OPT) -g $(WARNINGS) $(HARDENING) -pthread -ffunction-sections -fdata-sections $(SANITIZE)
LDFLAGS   += -pie -pthread -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--as-needed $(SANITIZE)

# What each program links. The codecs stand in two lines only, one for each kind of worker, and a test holds it.
CODEC_LIBS  := -ljpeg -lpng16 -lwebp -lgif -ltiff -lz
LIST_LIBS   := -lyajl -lxml2
HEIF_LIBS   := -lheif
WORKER_LIBS := $(CODEC_LIBS) -lseccomp -lm
HEIF_WORKER_LIBS := $(HEIF_LIBS) -lseccomp -lm
DAEMON_LIBS := -lmicrohttpd -ljansson -lsqlite3 -lcrypto -lcyaml -lyaml -lxxhash $(LIST_LIBS) -lm
FEEDS_LIBS  := -lsqlite3 -lcrypto -lcyaml -lyaml $(LIST_LIBS) -lcurl
CLIENT_LIBS := -ljansson -lsqlite3 -lcrypto -lcyaml -lyaml -lxxhash $(LIST_LIBS) -lcurl -lm
TEST_LIBS   := -lcheck -lsubunit -lrt $(WORKER_LIBS) $(HEIF_LIBS) $(DAEMON_LIBS) -lcurl

PACKAGES := gcc libc6-dev make pkg-config curl python3 check libsubunit-dev libmicrohttpd-dev libjansson-dev \
	libjpeg62-turbo-dev libpng-dev zlib1g-dev libwebp-dev libgif-dev libtiff-dev libheif-dev libssl-dev libseccomp-dev libsqlite3-dev libcyaml-dev libyaml-dev \
	libcurl4-openssl-dev libyajl-dev libxml2-dev libxxhash-dev
CHECK_PACKAGES := clang-format cppcheck shellcheck
LINT_PACKAGES := $(CHECK_PACKAGES) clang-tidy
BENCH_PACKAGES := libjpeg-turbo-progs netpbm webp
# The index that HMA runs; only compared with, and only where it is there.
PEER_PACKAGES := g++ libfaiss-dev
FUZZ_PACKAGES := clang libclang-rt-dev

MODULES  := $(filter-out programs,$(notdir $(patsubst %/,%,$(wildcard src/*/))))
SOURCES  := $(foreach module,$(MODULES),$(wildcard src/$(module)/*.c))
CARRIED  := default_config openapi_document
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o) $(CARRIED:%=$(BUILD)/%.o)
PROGRAMS := $(patsubst src/programs/%.c,%,$(wildcard src/programs/*.c))
BINARIES := $(subst _,-,$(PROGRAMS:%=$(BUILD)/%))
FORMATTED := $(wildcard src/*/*.[ch] include/prescreen/*/*.h tests/unit/*.[ch] tests/fuzz/*.[ch] tests/accuracy/*.c tests/bench/*.cc)
UNITS    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all demo check check-built unit setup setup-all install uninstall asan bench accuracy fuzz fuzzers format lint clean FORCE
all: $(BINARIES)

# Where the worker is installed is compiled in: a change of PREFIX builds that anew.
$(BUILD)/prefix: FORCE
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@
$(BUILD)/src/os/files.o: $(BUILD)/prefix

# The heavy arithmetic asks for more of the compiler than the rest.
$(BUILD)/src/hash/%.o $(BUILD)/src/index/%.o $(BUILD)/src/view/%.o: OPT := -O3

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Texts that the programs carry: the configuration that runs when no file is given, the description of the interface.
$(BUILD)/default_config.c: config/prescreen.yaml
$(BUILD)/default_config.c: SYMBOL = config_default_yaml
$(BUILD)/openapi_document.c: src/http/openapi.json
$(BUILD)/openapi_document.c: SYMBOL = openapi_document
$(CARRIED:%=$(BUILD)/%.c):
	@mkdir -p $(@D)
	@{ echo 'extern const char $(SYMBOL)[];'; echo 'const char $(SYMBOL)[] ='; \
	  sed -e 's/\\/\\\\/g; s/"/\\"/g; s/^/    "/; s/$$/\\n"/' $<; echo '    "";'; } >$@
$(CARRIED:%=$(BUILD)/%.o): %.o: %.c
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/libprescreen.a: $(OBJECTS)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/prescreend: LIBS = $(DAEMON_LIBS)
$(BUILD)/prescreen-worker: LIBS = $(WORKER_LIBS)
$(BUILD)/prescreen-heif-worker: LIBS = $(HEIF_WORKER_LIBS)
$(BUILD)/prescreen: LIBS = $(CLIENT_LIBS)
$(BUILD)/prescreen-feeds: LIBS = $(FEEDS_LIBS)
define program_rule
$(BUILD)/$(subst _,-,$(1)): $(BUILD)/src/programs/$(1).o $(BUILD)/libprescreen.a
	@echo "  LD $$@"
	@$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach program,$(PROGRAMS),$(eval $(call program_rule,$(program))))

# One program for each tests/unit/test_*.c; what it links is what its functions reach.
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libprescreen.a
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS)
.SECONDARY:

# One program for each tests/fuzz/fuzz_*.c, with every module that handles an upload instrumented; tests/fuzz/run runs them.
FUZZ_BUILD ?= build/fuzz
FUZZERS    := $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
$(FUZZERS): $(BUILD)/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/libprescreen.a
	@echo "  LD $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(WORKER_LIBS) $(HEIF_LIBS) $(LIST_LIBS) -lcyaml -lyaml -lcrypto

fuzzers: $(FUZZERS)
fuzz:
	+@$(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) CC=clang OPT=-O1 MODULES='base os image hash view decode worker policy config lists' \
	  SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' fuzzers

unit: all $(UNITS)
	python3 tests/run --unit $(BUILD)/unit

setup:
	@tests/setup $(PACKAGES)
# So that nothing is skipped.
setup-all:
	@tests/setup $(PACKAGES) $(LINT_PACKAGES) $(FUZZ_PACKAGES)

# From nothing to a picture screened: tests/demo starts the daemon on lists of its own and shows its verdicts.
demo: setup
	+@$(MAKE) --no-print-directory all
	@tests/demo $(BUILD)

check: setup
	@tests/setup $(CHECK_PACKAGES)
	+@$(MAKE) --no-print-directory check-built

check-built: all $(UNITS)
	python3 tests/run $(BUILD)

# The same tests with every access and every arithmetic step checked, which takes longer. LeakSanitizer cannot watch a
# confined worker.
asan: export PRESCREEN_TEST_PATIENCE ?= 4
asan: export CK_DEFAULT_TIMEOUT ?= 300
asan: setup
	+@$(MAKE) --no-print-directory BUILD=build/asan OPT=-O1 \
	  SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' check-built

bench: setup
	@tests/setup $(BENCH_PACKAGES)
	@tests/setup $(PEER_PACKAGES) || echo 'without faiss: nothing is compared with it'
	+@$(MAKE) --no-print-directory all
	+@echo '#include <faiss/IndexBinaryHash.h>' | $(CXX) -E -x c++ - >/dev/null 2>&1 && \
	  $(MAKE) --no-print-directory $(BUILD)/bench/faiss-peer || rm -f $(BUILD)/bench/faiss-peer
	@tests/bench/run $(BUILD)

$(BUILD)/bench/faiss-peer: tests/bench/faiss_peer.cc $(BUILD)/libprescreen.a
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CXX) -std=c++17 $(OPT) $(WARNINGS) -Iinclude -o $@ $^ -lfaiss -llapack -lblas -lgomp

# How well edited photographs are found, on those of some Debian packages.
ACCURACY_PACKAGES := python3-pil gcompris-qt-data lomiri-wallpapers-20.04 lomiri-wallpapers-16.04 ukui-wallpapers
$(BUILD)/accuracy/accuracy: $(BUILD)/tests/accuracy/accuracy.o $(BUILD)/libprescreen.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(WORKER_LIBS)
accuracy: setup
	@tests/setup $(ACCURACY_PACKAGES)
	+@$(MAKE) --no-print-directory $(BUILD)/accuracy/accuracy
	@tests/accuracy/run $(BUILD)

format:
	@tests/setup clang-format
	clang-format -i $(FORMATTED)

lint:
	@tests/setup $(PACKAGES) $(LINT_PACKAGES)
	+@$(MAKE) --no-print-directory all
	python3 tests/run --lint $(BUILD)

install: all
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/libexec/prescreen' \
	  '$(DESTDIR)$(PREFIX)/share/doc/prescreen' '$(DESTDIR)$(PREFIX)/lib/systemd/system'
	install -m 755 $(BUILD)/prescreen $(BUILD)/prescreend $(BUILD)/prescreen-feeds '$(DESTDIR)$(PREFIX)/bin'
	install -m 755 $(BUILD)/prescreen-worker $(BUILD)/prescreen-heif-worker '$(DESTDIR)$(PREFIX)/libexec/prescreen'
	install -m 644 README.md CHANGELOG.md LICENSE config/prescreen.yaml '$(DESTDIR)$(PREFIX)/share/doc/prescreen'
	for unit in prescreen prescreen-feeds; do \
	  sed 's|/usr/local/|$(PREFIX)/|' deploy/$$unit.service >"$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit.service"; done

uninstall:
	rm -f '$(DESTDIR)$(PREFIX)/bin/prescreen' '$(DESTDIR)$(PREFIX)/bin/prescreend' '$(DESTDIR)$(PREFIX)/bin/prescreen-feeds' \
	  '$(DESTDIR)$(PREFIX)/lib/systemd/system/prescreen.service' '$(DESTDIR)$(PREFIX)/lib/systemd/system/prescreen-feeds.service'
	rm -rf '$(DESTDIR)$(PREFIX)/libexec/prescreen' '$(DESTDIR)$(PREFIX)/share/doc/prescreen'

clean:
	rm -rf build

-include $(OBJECTS:.o=.d) $(FUZZERS:$(BUILD)/%=$(BUILD)/tests/fuzz/%.d) $(PROGRAMS:%=$(BUILD)/src/programs/%.d) $(UNITS:$(BUILD)/unit/%=$(BUILD)/tests/unit/%.d)
