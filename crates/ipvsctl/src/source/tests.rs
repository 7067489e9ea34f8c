use super::*;

#[test]
fn the_form_is_told_by_the_first_words() {
    assert_eq!(form("# rules\n\n-A -t 10.0.0.1:80\n"), Form::Rules);
    assert_eq!(form("ipvsadm -A -t 10.0.0.1:80\n"), Form::Rules);
    assert_eq!(form(" {\"services\": []}"), Form::Json);
    assert_eq!(form("! my cluster\nvrrp_instance VI_1 {\n}\n"), Form::Keepalived);
    assert_eq!(form(""), Form::Rules);
}

#[test]
fn rule_lines_make_a_table() {
    let text =
        "# web\n-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.0.0.2 -g -w 3 -x 9\n\nipvsadm -A -f 5\n";
    let table = rules(text).unwrap();
    assert_eq!(table.services.len(), 2);
    let printed: Vec<String> =
        lvs_core::plan::diff(&Table::default(), &table, &lvs_core::plan::Scope::Everything)
            .iter()
            .map(ToString::to_string)
            .collect();
    assert_eq!(
        printed,
        ["-A -t 10.0.0.1:80 -s rr", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 3 -x 9", "-A -f 5 -s wlc"]
    );
}

#[test]
fn every_wrong_line_is_named() {
    let text =
        "-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80\n-Ln\n-A -t bad\n--set 1 2 3\n-a -t 10.0.0.9:80 -r 10.0.0.2\n";
    let lines: Vec<usize> = rules(text).unwrap_err().iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6]);
}
