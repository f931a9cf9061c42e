//! Stage `oci`: the root tree as a container image in an archive (OCI Image Format 1.0), which podman, skopeo and others
//! load: `podman load -i target/rbox-oci.tar`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use rbox_core::hash::{Algorithm, hex, of};
use rbox_core::time::{Moment, Zone, format};
use serde_json::{Value, json};

use crate::archive::{self, Format};
use crate::manifest::{Kind, Manifest, Node};
use crate::output::Output;
use crate::stage::{Stage, human_size};

/// The options of the image.
#[derive(clap::Args, Clone, Debug)]
#[group(id = "oci-options")]
pub struct Options {
    /// The archive to write
    #[arg(long, short, value_name = "FILE", default_value = "target/rbox-oci.tar")]
    pub output: PathBuf,
    /// Name and tag of the image
    #[arg(long, value_name = "NAME:TAG", default_value = "localhost/rbox:latest")]
    pub tag: String,
    /// The processor, as Go calls it
    #[arg(long, value_name = "NAME", default_value = "amd64")]
    pub architecture: String,
    /// Time stamp of everything in the image, in seconds since 1970
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS", default_value_t = 1_767_225_600)]
    pub epoch: u32,
}

/// The files of the archive that are named by their sums.
struct Blobs(Manifest);

impl Blobs {
    /// Adds a file; returns what describes it (OCI Content Descriptors).
    fn add(&mut self, media: &str, bytes: Vec<u8>) -> Result<Value> {
        let sum = digest(&bytes);
        let described = json!({
            "mediaType": format!("application/vnd.oci.image.{media}"),
            "digest": format!("sha256:{sum}"),
            "size": bytes.len(),
        });
        self.put(&format!("blobs/sha256/{sum}"), bytes)?;
        Ok(described)
    }

    fn put(&mut self, path: &str, bytes: Vec<u8>) -> Result<()> {
        self.0.put(path.as_bytes(), Node::new(Kind::File(bytes), 0o644))
    }
}

fn digest(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&hex(&of(Algorithm::Sha256, &[bytes]))).into_owned()
}

/// Writes the image of a root tree, and returns its path.
pub fn build(options: &Options, tree: &Manifest) -> Result<PathBuf> {
    let stage = Stage::begin("oci");
    let image = image(options, tree)?;
    let mut output = Output::create(&options.output)?;
    output.file.write_all(&image).with_context(|| options.output.display().to_string())?;
    output.finish()?;
    let (size, sum) = (human_size(image.len() as u64), digest(&image));
    stage.end(&format!("{} ({size})\n{:<10} sha256 {sum}", options.output.display(), ""));
    Ok(options.output.clone())
}

fn image(options: &Options, tree: &Manifest) -> Result<Vec<u8>> {
    let mut layer = Vec::new();
    archive::write(&mut layer, Format::Tar, tree, options.epoch)?;
    let mut blobs = Blobs(Manifest::new());
    let described = blobs.add("layer.v1.tar+gzip", archive::gzip(&layer)?)?;
    let config = json!({
        "created": time(options.epoch),
        "architecture": options.architecture,
        "os": "linux",
        "config": {
            "Env": ["PATH=/bin:/sbin:/usr/bin:/usr/sbin"],
            "Cmd": ["/bin/sh"],
        },
        // Of the layer without its compression.
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", digest(&layer))] },
        "history": [{ "created": time(options.epoch), "created_by": "build-image oci" }],
    });
    let config = blobs.add("config.v1+json", config.to_string().into_bytes())?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": [described],
    });
    let mut manifest = blobs.add("manifest.v1+json", manifest.to_string().into_bytes())?;
    manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": options.tag });
    blobs.put("index.json", json!({ "schemaVersion": 2, "manifests": [manifest] }).to_string().into_bytes())?;
    blobs.put("oci-layout", json!({ "imageLayoutVersion": "1.0.0" }).to_string().into_bytes())?;
    let mut image = Vec::new();
    archive::write(&mut image, Format::Tar, &blobs.0, options.epoch)?;
    Ok(image)
}

/// RFC 3339.
fn time(epoch: u32) -> String {
    let moment = Moment { seconds: epoch.into(), nanos: 0 };
    String::from_utf8_lossy(&format(b"%Y-%m-%dT%H:%M:%SZ", moment, &Zone::utc())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blob_has_the_name_of_its_sum() {
        let mut tree = Manifest::new();
        tree.put(b"bin/sh", Node::new(Kind::File(b"#!".to_vec()), 0o755)).unwrap();
        let options =
            Options { output: PathBuf::new(), tag: "x:1".into(), architecture: "amd64".into(), epoch: 1_700_000_000 };
        let image = image(&options, &tree).unwrap();
        // The same tree gives the same bytes.
        assert_eq!(digest(&image), digest(&super::image(&options, &tree).unwrap()));
        let text = String::from_utf8_lossy(&image);
        assert!(text.contains(r#""created":"2023-11-14T22:13:20Z""#), "{text}");
        let index = text.find("./index.json").unwrap();
        let json = &text[index + 512..];
        let json: Value = serde_json::Deserializer::from_str(json).into_iter().next().unwrap().unwrap();
        let sum = json["manifests"][0]["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        assert!(text.contains(&format!("./blobs/sha256/{sum}")));
    }
}
