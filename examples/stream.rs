use fusiongen::{Generator, Select, sink::json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let generator = Generator::builder().events(10_000).days(2).build()?;
    let mut events = 0;
    for batch in generator.batches(Select::all().category("ssh_bruteforce"))? {
        let batch = batch?;
        if events == 0 {
            println!("{}", serde_json::to_string_pretty(&json::row(&batch, 0))?);
        }
        events += batch.num_rows();
    }
    println!("{events} events of {}", generator.plan().config.events);
    Ok(())
}
