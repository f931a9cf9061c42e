use anyhow::Result;
#[derive(clap::Args, Clone, Debug)]
pub struct Options {}
pub fn run(_o: &Options) -> Result<()> {
    Ok(())
}
