//! The twin against what the real firmware says.

use super::*;

fn talk(twin: &mut ModelOneTwin, bytes: &[u8], now: &mut Duration, wait: u64) -> String {
    twin.receive(bytes, *now);
    *now += Duration::from_millis(wait);
    let mut out = VecDeque::new();
    twin.transmit(*now, &mut out);
    String::from_utf8(out.into()).expect("is text")
}

#[test]
fn the_exchanges_with_the_real_firmware_come_byte_for_byte() {
    let mut twin = ModelOneTwin::new(Patch::default(), 1);
    let mut now = Duration::ZERO;
    let mut says = |bytes: &str, wait| talk(&mut twin, bytes.as_bytes(), &mut now, wait);
    assert_eq!(says("x", 40), "", "the scan of the bus takes 41 ms");
    assert_eq!(says("", 20), "RESET\n");
    let status = "STATE=NORM,+1=1.00,-1=-1.00,MODE=IC,EXTH=DIS,OVLH=DIS,IC-time=0,OP-time=0,RO-GROUP=,DPTADDR=80/8\n";
    assert_eq!(says("s", 50), status);
    assert_eq!(says("C000005", 50), "T_IC=5\n");
    assert_eq!(says("c000100", 50), "T_OP=100\n");
    assert_eq!(says("P0080000512", 50), "P80.0=512\n");
    assert_eq!(says("P0070000512", 50), "P70.0=ERROR!\n");
    // the element that was read then stood at the reference, and nothing decayed
    assert_eq!(says("P0080000000", 50), "P80.0=0\n");
    assert_eq!(says("P0080031023", 50), "P80.3=1023\n");
    assert_eq!(says("g0020", 50), "1.0000 2\n");
    assert_eq!(says("G0020;0021.", 50), "");
    assert_eq!(says("f", 50), "1.0000;0.0000\n");
    assert_eq!(says("F", 60), "SINGLE-RUN\n");
    assert_eq!(says("", 60), "EOSR\n");
    let log = says("l", 1000);
    let rows: Vec<&str> = log.lines().collect();
    assert_eq!((rows.len(), rows.last()), (155, Some(&"EOD")), "{log}");
    let is_row = |row: &&str| matches!(*row, "0.9999 0.0000 " | "1.0000 0.0000 " | "1.0001 0.0000 ");
    assert!(rows[..154].iter().all(is_row), "{log}");
    assert_eq!(says("l", 50), "No data!\n");
    assert_eq!(says("D9", 50), "ERR\n");
    assert_eq!(says("D3", 50), "");
    assert_eq!(says("z", 50), "Illegal command: 7A\n");
    assert_eq!(says("s\n", 50).lines().last(), Some("Illegal command: A"));
}

#[test]
fn a_reader_waits_ten_seconds_for_what_is_missing() {
    let mut twin = ModelOneTwin::new(Patch::default(), 1);
    let mut now = Duration::ZERO;
    assert_eq!(talk(&mut twin, b"P008", &mut now, 9000), "");
    assert_eq!(talk(&mut twin, b"x", &mut now, 11_000), "", "it was taken for an argument");
    assert_eq!(talk(&mut twin, b"x", &mut now, 100), "RESET\n");
}

#[test]
fn a_command_with_a_blocking_reader_holds_a_run_up() {
    let mut twin = ModelOneTwin::new(Patch::default(), 1);
    let mut now = Duration::ZERO;
    assert_eq!(talk(&mut twin, b"c000100", &mut now, 50), "T_OP=100\n");
    assert_eq!(talk(&mut twin, b"F", &mut now, 50), "SINGLE-RUN\n");
    assert_eq!(talk(&mut twin, b"c000200", &mut now, 500), "T_OP=200\n");
    assert_eq!((talk(&mut twin, b"", &mut now, 10_000).as_str(), twin.held_up()), ("EOSR\n", 1));
}

#[test]
fn an_overload_halts_where_that_is_wanted() {
    let mut twin = ModelOneTwin::new(Patch::default(), 1);
    let mut now = Duration::ZERO;
    talk(&mut twin, b"P0080011023", &mut now, 50);
    talk(&mut twin, b"c001000", &mut now, 50);
    assert_eq!(talk(&mut twin, b"A", &mut now, 50), "OVLH=ENABLED\n");
    assert_eq!(talk(&mut twin, b"F", &mut now, 1500), "SINGLE-RUN\n\tOverload halt!\n");
    assert!(talk(&mut twin, b"s", &mut now, 50).contains("MODE=HALT"));
}

#[test]
fn whoever_asks_without_end_fills_no_memory() {
    let mut twin = ModelOneTwin::new(Patch::default(), 1);
    (0..16).for_each(|_| twin.receive(&[b's'; 4096], Duration::ZERO));
    // what it was behind with, and the answer to which that had not come yet
    assert!((65_537..65_537 + 256).contains(&twin.out.len()), "{}", twin.out.len());
    let mut out = VecDeque::new();
    twin.transmit(Duration::from_secs(60), &mut out);
    assert!(out.len() > 65_536 && twin.out.is_empty());
    let mut now = Duration::from_secs(120);
    assert_eq!(talk(&mut twin, b"C000005", &mut now, 1000), "T_IC=5\n");
}
