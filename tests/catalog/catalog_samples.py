"""Rules of three ecosystems, written for these tests, and what attacks a page."""

from pathlib import Path

SIGMA = """
title: Rundll32 Without Arguments
id: 11111111-1111-4111-8111-111111111111
status: test
description: Programs that start rundll32 without arguments.
author: Ada Example
date: 2025-03-01
tags: [attack.stealth, attack.t1218.011, attack.t1562.001]
logsource: {product: windows, category: process_creation}
detection:
  selection:
    Image|endswith: '\\\\rundll32.exe'
    CommandLine|endswith: ['rundll32.exe', 'rundll32']
  filter:
    ParentImage: 'C:\\\\Windows\\\\explorer.exe'
  condition: selection and not filter
falsepositives: [Software that is badly made]
fields: [CommandLine, ParentImage]
level: high
"""

SIGMA_SAME = """
title: Rundll32 Started by Office
id: 22222222-2222-4222-8222-222222222222
status: experimental
description: An Office program starts rundll32.
author: Grace Example
date: 2024-01-31
tags: [attack.execution]
logsource: {product: windows, category: process_creation}
detection:
  selection:
    Image|endswith: '\\\\rundll32.exe'
    ParentImage|endswith: '\\\\winword.exe'
  condition: selection
level: medium
"""

SIGMA_VAULT = """
title: Secret Read in a Key Vault
id: 33333333-3333-4333-8333-333333333333
status: stable
description: A secret of a "key vault" was read.
date: 2023-05-05
tags: [attack.credential-access, attack.t1555.006, AZT604.1]
logsource: {product: azure, service: activitylogs}
detection:
  selection:
    operationName: MICROSOFT.KEYVAULT/VAULTS/SECRETS/GETSECRET/ACTION
  condition: selection
level: low
"""

ELASTIC = '''
[metadata]
creation_date = "2025/06/01"
updated_date = "2025/07/02"
integration = ["azure"]
maturity = "production"

[rule]
author = ["Linus Example"]
description = """
Vaults that were
changed.
"""
from = "now-25m"
index = ["logs-azure*"]
language = "kuery"
license = "Elastic License v2"
name = "Vault Changed by Anybody"
note = """## Triage

- Look at `user.name`
"""
setup = "The **Azure** integration."
risk_score = 47
rule_id = "44444444-4444-4444-8444-444444444444"
severity = "medium"
tags = ["Domain: Cloud", "Data Source: Azure"]
timestamp_override = "event.ingested"
type = "new_terms"
query = \'\'\'
event.dataset:azure.activitylogs
  and azure.activitylogs.operation_name:"MICROSOFT.KEYVAULT/VAULTS/WRITE"
\'\'\'

[[rule.threat]]
framework = "MITRE ATT&CK"
[[rule.threat.technique]]
id = "T1555"
name = "Credentials from Password Stores"
reference = "https://attack.mitre.org/techniques/T1555/"
[rule.threat.tactic]
id = "TA0006"
name = "Credential Access"
reference = "https://attack.mitre.org/tactics/TA0006/"

[rule.new_terms]
field = "new_terms_fields"
value = ["user.name"]
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-14d"
'''

EQL = """
[metadata]
creation_date = "2025/01/01"
integration = ["endpoint"]
maturity = "production"
updated_date = "2025/01/01"

[rule]
author = ["Linus Example"]
description = "A sequence that no engine here reads."
from = "now-9m"
index = ["logs-endpoint.events.*"]
language = "eql"
license = "Elastic License v2"
name = "Two Things One After the Other"
risk_score = 73
rule_id = "55555555-5555-4555-8555-555555555555"
severity = "high"
type = "eql"
query = '''
sequence by host.id [process where process.name == "a.exe"] [file where true]
'''
"""

PANTHER = """
AnalysisType: rule
Filename: vault.py
RuleID: Azure.Vault.Read
DisplayName: Vault Read by a Stranger
Enabled: true
LogTypes: [Azure.MonitorActivity]
Severity: High
Description: Somebody read a vault.
Reports: {MITRE ATT&CK: ['TA0006:T1555']}
Tags: [AZT604.1]
Runbook: Ask them.
SummaryAttributes: [callerIpAddress]
DedupPeriodMinutes: 15
Threshold: 3
Tests:
  - Name: It was read
    ExpectedResult: true
    Log: {operationName: read}
  - Name: It was not
    ExpectedResult: false
    Log: {operationName: write}
"""

EVIL_TEXT = (
    '<script>window.pwned = 1</script><img src=x onerror=\\"window.pwned = 1\\">'
    "<svg onload=window.pwned=1> [x](javascript:window.pwned=1) ![y](https://evil.example/p.png)"
)

EVIL = f"""
title: "Evil {EVIL_TEXT}"
id: 66666666-6666-4666-8666-666666666666
status: test
description: "{EVIL_TEXT} \\u202e reversed"
author: "{EVIL_TEXT}"
references: ["javascript:window.pwned=1", "data:text/html,<script>window.pwned=1</script>", "https://ok.example/x"]
date: 2025-01-01
tags: ["attack.t9999", "attack.nonsense", "{EVIL_TEXT}"]
logsource: {{product: "<i>x</i>"}}
detection:
  selection:
    "<u>field</u>|contains": ["</script><script>window.pwned = 1</script>", "{{LONG}}"]
  condition: selection
falsepositives: ["{EVIL_TEXT}"]
level: high
""".replace("{LONG}", "x" * 15_000)

FILES = {
    "sigma/rundll32.yml": SIGMA,
    "sigma/rundll32_office.yml": SIGMA_SAME,
    "sigma/vault.yml": SIGMA_VAULT,
    "elastic/vault.toml": ELASTIC,
    "elastic/sequence.toml": EQL,
    "panther/vault.yml": PANTHER,
    "panther/vault.py": "def rule(event):\n    return True\n",
    "sigma/LICENSE": "Detection Rule License (DRL) 1.1\n",
    "panther/LICENSE": "Apache License\nVersion 2.0\n",
}


def write_packs(folder: Path, **more: str) -> list[Path]:
    """Write the packs and further files of the Sigma pack; return their folders."""
    for name, text in {
        **FILES,
        **{f"sigma/{name}.yml": text for name, text in more.items()},
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return [folder / name for name in ("sigma", "elastic", "panther")]
