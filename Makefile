# SPDX-License-Identifier: Apache-2.0
# winch - build, check, install. `make help` lists the targets.

PREFIX   ?= /usr/local
DESTDIR  ?=
ifeq ($(origin CC),default)
CC       := gcc
endif
BUILD    ?= build
VERSION  := 0.1.0

# make SANITIZE=1 builds the same tree with ASan and UBSan below build/asan
ifeq ($(SANITIZE),1)
BUILD     := build/asan
OPT       ?= -O1 -g -fno-omit-frame-pointer
SAN       := -fsanitize=address,undefined -fno-sanitize-recover=undefined
STATIC    :=
else
OPT       ?= -O2 -g
STATIC    := -static-pie
endif

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror=format-security -Werror
HARD := -fstack-protector-strong -fstack-clash-protection $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS_ALL := -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DWINCH_VERSION='"$(VERSION)"' -I. -fPIE -pthread \
	$(OPT) $(WARN) $(HARD) $(SAN) -ffunction-sections -fdata-sections -MMD -MP $(CFLAGS)
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now,--gc-sections,--as-needed $(SAN) $(LDFLAGS)

FOLDERS := base parser engine netd volumes orchestrator cli
# mains are no part of the archives
MAINS := cli/main.c orchestrator/supervisor_main.c engine/image/worker_main.c engine/monitor/main.c engine/init/init.c engine/oci/main.c netd/main.c engine/log/pack_main.c

sources = $(filter-out $(MAINS),$(shell find $(1) -name '*.c' | sort))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
archive = $(BUILD)/lib/$(1).a
A_ALL   = $(foreach f,$(FOLDERS),$(call archive,$(f)))

LIBS_base  := -ljansson -levent_core -lmd
LIBS_image := -larchive -lcurl -lcrypto -lz -lzstd
LIBS_netd  := -lnftables -lnl-route-3 -lnl-3 -lresolv
LIBS_ALL   := -lyaml -lseccomp -lcap $(LIBS_image) $(LIBS_netd) $(LIBS_base)
CFLAGS_NL  := -I/usr/include/libnl3
CFLAGS_ALL += $(CFLAGS_NL)

LIBEXEC := $(BUILD)/libexec/winch
BINS := $(BUILD)/bin/winch $(LIBEXEC)/winch-image $(LIBEXEC)/winch-supervisor $(LIBEXEC)/winch-monitor \
	$(LIBEXEC)/winch-netd $(LIBEXEC)/winch-init $(LIBEXEC)/winch-logpack $(LIBEXEC)/winch-oci

.PHONY: all
all: deps-check $(BINS)

define archive_rule
$(call archive,$(1)): $(call objects,$(call sources,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@.$$$$$$$$ && ar rcs $$@.$$$$$$$$ $$^ && mv $$@.$$$$$$$$ $$@
endef
$(foreach f,$(FOLDERS),$(eval $(call archive_rule,$(f))))

# the packages come before the first compilation, also with -j
$(BUILD)/obj/%.o: %.c | deps-check
	@mkdir -p $(@D)
	@echo "CC $<"
	@$(CC) $(CFLAGS_ALL) -MF $(@:.o=.d) -MT $@ -c -o $@.$$$$ $< && mv $@.$$$$ $@

# binary: main object, the archives it may use (upper first), its libraries
define link
	@mkdir -p $(@D)
	@echo "LD $@"
	@$(CC) $(LDFLAGS_ALL) -o $@.$$$$ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(1) && mv $@.$$$$ $@
endef

$(BUILD)/bin/winch: $(BUILD)/obj/cli/main.o $(A_ALL)
	$(call link,-lyaml $(LIBS_base))
$(LIBEXEC)/winch-supervisor: $(BUILD)/obj/orchestrator/supervisor_main.o $(A_ALL)
	$(call link,-lseccomp $(LIBS_base))
$(LIBEXEC)/winch-image: $(BUILD)/obj/engine/image/worker_main.o $(call archive,engine) $(call archive,base)
	$(call link,$(LIBS_image) $(LIBS_base))
# nothing of ours stays resident with it
$(LIBEXEC)/winch-oci: $(BUILD)/obj/engine/oci/main.o $(call archive,engine) $(call archive,base)
	$(call link,-lseccomp -ljansson -lmd)
$(LIBEXEC)/winch-netd: $(BUILD)/obj/netd/main.o $(call archive,netd) $(call archive,base)
	$(call link,$(LIBS_netd) $(LIBS_base))
# one a container and resident: static, libc only
$(LIBEXEC)/winch-monitor: $(BUILD)/obj/engine/monitor/main.o $(call archive,engine) $(call archive,base)
	$(call link,$(STATIC) -lmd)
$(LIBEXEC)/winch-logpack: $(BUILD)/obj/engine/log/pack_main.o $(call archive,engine) $(call archive,base)
	$(call link,-lz)
ifeq ($(SANITIZE),1) # runs inside containers, where the sanitizer's libraries are not
.PHONY: init-plain
init-plain:
	+@$(MAKE) -s SANITIZE= BUILD=build build/libexec/winch/winch-init
$(LIBEXEC)/winch-init: init-plain
	@mkdir -p $(@D)
	@cmp -s build/libexec/winch/winch-init $@ || cp build/libexec/winch/winch-init $@
else
$(LIBEXEC)/winch-init: $(BUILD)/obj/engine/init/init.o $(call archive,base)
	$(call link,$(STATIC))
endif

# ---- tests ---------------------------------------------------------------------------------------
UNIT_FOLDERS := $(patsubst tests/unit/%/,%,$(wildcard tests/unit/*/))
UNIT_BINS := $(patsubst %,$(BUILD)/tests/unit-%,$(UNIT_FOLDERS))
KEEP_SECTIONS := -Wl,--no-gc-sections
define unit_rule
$(BUILD)/tests/unit-$(1): $(call objects,$(wildcard tests/unit/$(1)/*.c)) $(A_ALL)
	$$(call link,$$(KEEP_SECTIONS) $(LIBS_ALL) -lcriterion)
endef
$(foreach f,$(UNIT_FOLDERS),$(eval $(call unit_rule,$(f))))

# static programs put into test images, and bench helpers
PROBES := $(patsubst tests/probe/%.c,$(BUILD)/tests/%,$(wildcard tests/probe/*.c)) $(patsubst tests/bench/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/*.c))
$(BUILD)/tests/%: tests/probe/%.c
	@mkdir -p $(@D)
	@echo "CC $<"
	@gcc -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -static -o $@ $<
$(BUILD)/tests/%: tests/bench/%.c
	@mkdir -p $(@D)
	@echo "CC $<"
	@gcc -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -o $@ $<

.PHONY: test-bins unit
test-bins: $(PROBES) $(UNIT_BINS)
unit: $(UNIT_BINS)
	@tests/run.sh --unit

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
-include Makefile.targets
