use anyhow::Result;
#[derive(clap::Args, Clone, Debug)]
#[group(id = "test-options")]
pub struct Options {}
pub fn run(_o: &Options) -> Result<()> {
    Ok(())
}
