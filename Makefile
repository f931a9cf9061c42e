# The targets. Each one installs its own packages and lists them before it runs apt-get.
.PHONY: help stress initramfs-example boot boot-test hardware-test tools test rbox image compat compat-build bench fuzz clean lint unit terminal processors choices deb oci package-test compat-archives compat-peers compat-random

help:
	@echo 'make boot       build what is missing and boot the image on this terminal (the first time about 30 minutes)'
	@echo 'make rbox       the static binary, target/rbox; APPLETS="sh ls" or APPLETS=FILE selects names, TARGET=aarch64'
	@echo 'make image      the disk, target/rbox.img'
	@echo 'make deb        a package for Debian; make oci: an image for containers'
	@echo 'make test       everything that CI runs (about 15 minutes, the first time 45)'
	@echo 'make lint       format and lints, for all processors'
	@echo 'make unit       unit, convention, case and terminal tests of a debug build'
	@echo 'make hardware-test  check i2c, flash, ATA, tapes and radios in QEMU, with a kernel of its own (30 minutes once)'
	@echo 'make stress     write docs/reliability.md: crashes, power cuts, floods, bursts of devices (an hour)'
	@echo 'make initramfs-example  a small initramfs that mounts a root and hands over to it'
	@echo 'make compat     compare rbox with BusyBox, case by case'
	@echo 'make compat-random  COUNT random programs of each language, beside GNU, mawk and BusyBox (COUNT=20000)'
	@echo 'make compat-build  build GNU hello and zlib with rbox as the only userland'
	@echo 'make compat-archives  pack and unpack 10,000 generated trees with rbox, GNU tar, GNU cpio and bsdtar (2 hours); TREES=N'
	@echo 'make compat-peers  check clients and servers of the network against nginx, dnsmasq, ISC dhcpd, vsftpd and others (root)'
	@echo 'make choices    build with 1 and 12 applets, and for aarch64, and run the results'
	@echo 'make terminal   unit and compat on a terminal, with signals ignored'
	@echo 'make bench      write docs/speed.md: size and speed beside BusyBox, toybox, GNU, dash and bash'
	@echo 'make fuzz       every parser of outside data under libFuzzer, SECONDS=60 each'
	@echo 'make clean      remove what was built'
# Boots the image on this terminal; root ends it by `poweroff`.
boot: image
	cargo run -q -p build-image -- run

# Builds the disk target/rbox.img; the kernel is built once and cached.
image: rbox
	sh build-image/packages.sh $$(cargo run -q --locked -p build-image -- tools --packages)
	cargo run -q --locked -p build-image -- disk

# Boots the disk in each supported way and checks the running system; then two of them on one wire, a server and a client.
boot-test: image
	cargo run -q --locked -p build-image -- initramfs
	sh build-image/initramfs-example.sh
	cargo run -q --locked -p build-image -- test --initramfs target/rbox.cpio.gz --example target/initramfs-example.cpio.gz
	cargo run -q --locked -p build-image -- test --network

# Boots a kernel with modules, and checks the applets of hardware against what QEMU and the kernel emulate.
hardware-test: rbox
	sh build-image/packages.sh $$(cargo run -q --locked -p build-image -- tools --packages)
	cargo run -q --locked -p build-image -- test --hardware

# Strains init, runit, logs, account files and whole machines, and writes docs/reliability.md. CUTS=5 makes fewer power cuts.
CUTS = 50
stress: image
	sh build-image/packages.sh gcc libc6-dev
	sh compat-suite/stress.sh target/rbox >target/reliability.md
	cargo run -q --locked -p build-image -- test --stress --cuts $(CUTS) >>target/reliability.md
	mv target/reliability.md docs/reliability.md

# Builds target/initramfs-example.cpio.gz.
initramfs-example: rbox
	sh build-image/initramfs-example.sh

# Builds the static binary target/rbox. APPLETS="sh ls" or APPLETS=FILE selects names; TARGET=aarch64 builds target/rbox-aarch64.
rbox:
	APPLETS="$(APPLETS)" TARGET="$(TARGET)" sh build-image/rbox.sh
	cargo run -q --locked -p build-image -- licenses

# A package for Debian, and an image for containers.
deb: rbox
	cargo run -q --locked -p build-image -- deb

oci: rbox
	cargo run -q --locked -p build-image -- oci

# Installs, upgrades and removes the package in a new Debian, and runs the container image.
package-test: deb oci
	sh build-image/packages.sh debootstrap
	sh build-image/package-test.sh

lint: processors
	git ls-files '*.rs' | xargs rustfmt --check --edition 2024
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTFLAGS='--cfg fuzzing' cargo check -q --workspace --locked --target-dir target/fuzzing

# Compiles for other processors, without linking.
processors:
	sh build-image/processors.sh

unit:
	cargo test --workspace --locked

# The unit tests and the cases once more, on a terminal and with signals ignored, as under nohup and in tmux.
terminal:
	sh build-image/packages.sh bsdutils
	script -qec "trap '' HUP INT QUIT TTIN TTOU; cargo test -q --workspace --locked && cargo run -q --locked -p compat-suite" /dev/null

# Builds with few applets and for another processor, and runs the results.
choices: tools
	sh build-image/packages.sh qemu-user
	sh build-image/choices.sh

# Builds GNU hello and zlib with rbox as the only userland, and compares with GNU's tools.
compat-build: rbox
	sh compat-suite/build.sh target/rbox

# Checks the applets of the network against the servers and clients of others; installs those. As root.
compat-peers: rbox
	sh compat-suite/peers.sh target/rbox

# Runs the same cases in Debian's BusyBox and in rbox.
compat: rbox
	sh build-image/packages.sh busybox-static dash bash runit iproute2 procps psmisc python3-minimal openssl
	cargo run -q --locked -p compat-suite
	cargo run -q --locked -p compat-suite -- --options
	cargo run -q --locked -p compat-suite -- --oracles shell/
	cargo run -q --locked -p compat-suite -- --random sh

# Packs TREES generated trees as tar, cpio and zip and unpacks them, rbox with itself and with its peers, and compares them.
TREES = 10000
compat-archives:
	sh build-image/packages.sh cpio libarchive-tools
	ROUND_TRIPS=$(TREES) CI=1 cargo test --locked -p rbox --test archives trees
# Runs COUNT random programs of each language: `make compat-random COUNT=1000 SEED=7`.
COUNT = 20000
SEED = 1
compat-random: rbox
	sh build-image/packages.sh bc busybox-static dc diffutils ed gawk mawk patch sed
	for language in sh sed awk diff bc dc; do \
	    cargo run -q --locked -p compat-suite -- --random $$language --seed $(SEED) --count $(COUNT) || exit 1; \
	done

# Writes size and speed beside BusyBox, toybox, GNU, dash and bash to docs/speed.md.
bench: rbox choices
	sh build-image/packages.sh bc binutils bsdextrautils busybox-static bzip2 dash gawk mawk toybox valgrind xxd xz-utils zstd
	bash compat-suite/bench.sh >target/speed.md
	bash compat-suite/bench-shell.sh >>target/speed.md
	mv target/speed.md docs/speed.md

# Fuzzes every parser of outside data for SECONDS each: `make fuzz SECONDS=600`.
SECONDS = 60
fuzz:
	sh build-image/packages.sh gcc g++ libc6-dev
	sh fuzz/run.sh $(SECONDS)

tools:
	sh build-image/packages.sh gcc libc6-dev binutils busybox-static cpio dosfstools e2fsprogs fdisk libarchive-tools runit iproute2 procps psmisc python3-minimal openssl

test: tools lint unit compat boot-test terminal choices

clean:
	cargo clean
