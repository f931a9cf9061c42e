# The doors of the house. Each does its own set-up: packages are listed before apt is asked for them.
.PHONY: boot boot-test tools test rbox image compat bench fuzz clean lint unit

# Boots the image on this terminal; `poweroff` as root ends it.
boot: image
	cargo run -q -p build-image -- run

# The disk at target/rbox.img; the kernel is built once and then taken from the cache.
image: rbox
	sh build-image/packages.sh $$(cargo run -q --locked -p build-image -- tools --packages)
	cargo run -q --locked -p build-image -- disk

# Boots the disk every way it can be booted and checks the running system.
boot-test: image
	cargo run -q --locked -p build-image -- initramfs
	cargo run -q --locked -p build-image -- test --initramfs target/rbox.cpio.gz

# The static binary at target/rbox.
rbox:
	sh build-image/rbox.sh

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

unit:
	cargo test --workspace --locked

# The same cases in Debian's BusyBox and in rbox.
compat: rbox
	sh build-image/packages.sh busybox-static dash bash runit iproute2 procps psmisc python3-minimal
	cargo run -q --locked -p compat-suite
	cargo run -q --locked -p compat-suite -- --oracles shell/
	cargo run -q --locked -p compat-suite -- --random sh

# Size and speed beside BusyBox, toybox and the GNU tools.
bench: rbox
	sh build-image/packages.sh busybox-static toybox dash valgrind binutils
	bash compat-suite/bench.sh
	bash compat-suite/bench-shell.sh

# Feeds all parsers of outside bytes with what breaks parsers: `make fuzz SECONDS=600`, for each.
SECONDS = 60
fuzz:
	sh build-image/packages.sh gcc g++ libc6-dev
	sh fuzz/run.sh $(SECONDS)

tools:
	sh build-image/packages.sh gcc libc6-dev binutils busybox-static e2fsprogs runit iproute2 procps psmisc python3-minimal

test: tools lint unit compat boot-test

clean:
	cargo clean
