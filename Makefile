# Two commands do everything on a fresh Debian or Ubuntu machine: `make demo` and `make test`.

BUILD ?= build
JOBS ?= $(shell nproc)

.PHONY: all build demo test bench lint tidy fuzz asan asan-files tsan arm64 clean setup-build setup-test setup-lint

all: build

setup-build:
	@sh tools/install_dependencies.sh build

setup-test: setup-build
	@sh tools/install_dependencies.sh test

setup-lint: setup-test
	@sh tools/install_dependencies.sh lint

# The release program: build/vl2.
build: setup-build
	@cmake --preset release -B $(BUILD) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@cmake --build $(BUILD) -j $(JOBS) --target vl2

# Questions about bundled pictures, answered by the bundled model.
demo: build
	@sh tools/install_dependencies.sh demo
	@sh tools/demo.sh $(BUILD)/vl2 $(BUILD)/demo

# Builds everything, warnings as errors, and runs all tests.
test: setup-test
	@cmake --preset dev -B $(BUILD) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@cmake --build $(BUILD) -j $(JOBS)
	@sh tools/fetch_tokenizer_v3.sh $(BUILD)/test-data || true
	@sh tools/install_clients.sh || true
	@OMP_WAIT_POLICY=passive ctest --test-dir $(BUILD) -j $(JOBS) --output-on-failure

# Kernels and true-shape models against this machine's own limits.
bench: setup-test
	@cmake --preset release -B $(BUILD) -DVL2_BUILD_BENCHMARKS=ON >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@cmake --build $(BUILD) -j $(JOBS)
	@$(BUILD)/vl2 bench --shape tiny

# Format, layering and clang-tidy; `make tidy` adds its slowest checks.
lint: setup-lint
	@sh tools/lint.sh

tidy: setup-lint
	@sh tools/lint.sh deep

# All fast tests under the address and undefined-behaviour sanitizers.
asan: setup-lint
	@cmake --preset asan && cmake --build --preset asan -j $(JOBS) && ctest --preset asan -j $(JOBS)

# The same of the floors that read foreign files, which CI has the time for.
asan-files: setup-lint
	@cmake --preset asan >build-asan.log 2>&1 || { cat build-asan.log; exit 1; }
	@cmake --build --preset asan -j $(JOBS) --target checkpoint_tests text_tests image_tests
	@for floor in checkpoint text image; do \
	  ctest --test-dir build-asan/tests/$$floor -j $(JOBS) --output-on-failure || exit 1; done

# The tests of threads under the thread sanitizer.
tsan: setup-lint
	@cmake --preset tsan && cmake --build --preset tsan -j $(JOBS) && ctest --preset tsan -j $(JOBS)

# Ten seconds of every fuzz target.
fuzz: setup-lint
	@cmake --preset fuzz && cmake --build --preset fuzz -j $(JOBS) && sh tools/fuzz.sh build-fuzz 10

# A cross build for 64-bit ARM and its tests under emulation; needs Debian (docs/arm64.md).
arm64:
	@sh tools/install_dependencies.sh arm64
	@sh tools/arm64_sysroot.sh build-arm64-sysroot
	@cmake --preset arm64 && cmake --build --preset arm64 -j $(JOBS) && ctest --preset arm64 -j $(JOBS)

clean:
	rm -rf build build-*
