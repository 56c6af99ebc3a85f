//! A process and its session belong to the same boot, even in the minutes around a boot.

use fusiongen::Generator;
use fusiongen::catalog::Platform;
use fusiongen::ids::ImageId;
use fusiongen::plan::Config;
use fusiongen::world::processes::OTHER_STREAM;

#[test]
fn a_process_near_a_boot_belongs_to_the_boot_of_its_session() {
    let config = Config {
        events: 10_000,
        assets: Some(60),
        ..Config::default()
    };
    let start = config.start_seconds();
    let generator = Generator::builder().config(config).build().unwrap();
    let world = generator.world();
    let mut windows = 0;
    let image = ImageId::default();
    for (host, asset) in world.hosts.ids().zip(&world.hosts.all) {
        let user = asset.user;
        // The last boot before the window's third day.
        let boot = world.boot(host, start + 3 * 86_400);
        for minute in -5..20 {
            let time = boot.start + minute * 60;
            let process = world.started(host, time * 1_000_000, OTHER_STREAM, 0, image, user, None);
            let own = world.settled_boot(host, time);
            assert_eq!(process.boot, own.number);
            assert!(
                (own.start..=time).contains(&process.session.start),
                "{host:?}, minute {minute}: session of {}, boot of {}",
                process.session.start,
                own.start
            );
        }
        windows += usize::from(asset.platform == Platform::Windows);
    }
    assert!(windows > 20, "{windows}");
}
