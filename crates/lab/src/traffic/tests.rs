use super::*;

fn lines(text: &str) -> Vec<Line> {
    text.lines().map(|l| Line { at: Time::ZERO, text: l.to_owned() }).collect()
}

#[test]
fn an_outage_reaches_from_the_last_answer_to_the_next() {
    let log = "ok 1000000000 3 r102\nnoise\nfailed 1300000000 200 connect: timed out\nfailed 1500000000 200 connect\n\
               ok 1700000000 2 r103\nok 1733000000 2 r103";
    let traffic = Traffic::read(&lines(log));
    assert_eq!((traffic.ok(), traffic.failed()), (3, 2));
    let outage =
        Outage { from: Time::from_nanos(1_000_000_000), to: Time::from_nanos(1_700_000_000), failed: 2 };
    assert_eq!(traffic.outages(), [outage]);
    assert_eq!(traffic.longest_outage(), Duration::from_millis(700));
    assert_eq!(traffic.to_string(), "3 ok, 2 failed, r102 1, r103 2");
}

#[test]
fn an_outage_without_end_counts_to_the_last_request() {
    let traffic = Traffic::read(&lines("ok 1000000000 3 r102\nfailed 4000000000 200 connect: timed out"));
    assert_eq!(traffic.longest_outage(), Duration::from_secs(3));
}

#[test]
fn a_pause_between_answers_is_no_outage() {
    let traffic = Traffic::read(&lines("ok 1000000000 3 r102\nok 4000000000 2 r102"));
    assert_eq!(traffic.longest_outage(), Duration::ZERO);
}
