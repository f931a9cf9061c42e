# The doors of the house. Each does its own set-up: packages are listed before apt is asked for them.
.PHONY: boot test rbox image compat bench clean lint unit

# Boots the image on this terminal; `poweroff` as root ends it.
boot: image
	cargo run -q -p build-image -- run

# The static binary at target/rbox.
rbox:
	sh build-image/rbox.sh

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

unit:
	cargo test --workspace --locked

test: lint unit rbox

clean:
	cargo clean
