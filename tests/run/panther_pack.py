"""A small pack of Panther's kind: one file for each thing that a pack can hold."""

from textwrap import dedent

HELPER = """
    ADMINS = {"ana"}

    def is_admin(name):
        return name in ADMINS
"""
DATA_MODEL = """
    def source_ip(event):
        return event.deep_get("client", "ip")
"""
RULE = """
    from panther_core import PantherEvent
    from panther_detection_helpers.caching import get_string_set, put_string_set
    from sample_helpers import is_admin

    LIMIT = 3
    SEEN = None

    def rule(event: PantherEvent) -> bool:
        global SEEN
        SEEN = event.udm("source_ip")
        known = get_string_set("known")
        put_string_set("known", ["x"])
        return is_admin(event.get("USER")) and "x" not in known and event["count"] > LIMIT

    def title(event):
        return f"{event.get('user')} from {SEEN}"

    def severity(event):
        return "high" if event.deep_get("client", "ip") else "DEFAULT"
"""
TESTS = """
      - Name: an admin is reported
        ExpectedResult: true
        Log: {p_log_type: Sample.Log, user: ana, count: 4, client: {ip: 192.0.2.1}}
      - Name: a few are not
        ExpectedResult: false
        Log: {p_log_type: Sample.Log, user: ana, count: 3}
      - Name: the limit is mocked
        ExpectedResult: false
        Mocks: [{objectName: is_admin, returnValue: false}]
        Log: {p_log_type: Sample.Log, user: ana, count: 4}
"""

FILES = {
    "global_helpers/sample_helpers.py": HELPER,
    "global_helpers/sample_helpers.yml": """
        AnalysisType: global
        GlobalID: sample_helpers
        Filename: sample_helpers.py
    """,
    "data_models/sample.py": DATA_MODEL,
    "data_models/sample.yml": """
        AnalysisType: datamodel
        DataModelID: Sample
        LogTypes: [Sample.Log]
        Enabled: true
        Filename: sample.py
        Mappings:
          - {Name: source_ip, Method: source_ip}
          - {Name: user, Path: $.user}
    """,
    "rules/admin.py": RULE,
    "rules/admin.yml": f"""
        AnalysisType: rule
        RuleID: Sample.Admin
        DisplayName: Admin Acts
        Enabled: true
        Filename: admin.py
        LogTypes: [Sample.Log]
        Severity: Medium
        Tests:{TESTS.replace(chr(10), chr(10) + "    ")}
    """,
    "policies/open.py": "def policy(resource): return not resource['open']",
    "policies/open.yml": """
        AnalysisType: policy
        PolicyID: Sample.Open
        Enabled: false
        Filename: open.py
        ResourceTypes: [Sample.Box]
        Severity: Low
        Tests:
          - {Name: closed, ExpectedResult: true, Resource: {open: false}}
          - {Name: open, ExpectedResult: false, Resource: {open: true}}
    """,
    "queries/rows.py": "def title(event): return event['n']",
    "queries/rows.yml": """
        AnalysisType: scheduled_rule
        RuleID: Sample.Rows
        Enabled: true
        Filename: rows.py
        ScheduledQueries: [Sample.Query]
        Severity: Info
        Tests:
          - {Name: a row, ExpectedResult: true, Log: {n: one}}
    """,
    "queries/query.yml": """
        AnalysisType: scheduled_query
        QueryName: Sample.Query
        Enabled: true
        Query: select 1
        Schedule: {RateMinutes: 60, TimeoutMinutes: 1}
    """,
    "correlation_rules/both.yml": """
        AnalysisType: correlation_rule
        RuleID: Sample.Both
        Enabled: true
        Severity: High
        Detection:
          - Group: [{ID: a, RuleID: Sample.Admin}, {ID: b, RuleID: Sample.Rows}]
            Schedule: {RateMinutes: 60, TimeoutMinutes: 1}
        Tests:
          - {Name: both, ExpectedResult: true, RuleOutputs: []}
    """,
    "rules/simple.yml": """
        AnalysisType: rule
        RuleID: Sample.Simple
        Enabled: true
        LogTypes: [Sample.Log]
        Severity: Low
        Detection:
          - {Key: user, Condition: Equals, Value: ana}
        Tests:
          - {Name: hers, ExpectedResult: true, Log: {User: ana}}
          - {Name: not hers, ExpectedResult: false, Log: {user: bob}}
    """,
    "packs/sample.yml": """
        AnalysisType: pack
        PackID: Sample
        PackDefinition: {IDs: [Sample.Admin, sample_helpers]}
    """,
    "lookup_tables/sample.yml": """
        AnalysisType: lookup_table
        LookupName: sample
        Enabled: true
    """,
}


def write_pack(folder, **changed):
    """Write the pack below a folder; `changed` gives other texts for some of its files."""
    for name, text in {**FILES, **changed}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))
    return folder
