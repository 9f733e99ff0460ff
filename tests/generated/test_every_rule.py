"""Every rule of the corpus matches events that are made for it, and does not match near misses.

The events are made from pySigma's tree, judged by the oracle, written as the logs' own software
writes them, and sent through `tocsin scan` with the rules as they are published.
"""

from collections import Counter
from functools import partial
from itertools import groupby

from generated import azure, cloud, clusters, plain, windows
from generated.corpus import LEFT_OUT
from generated.generator import EACH_VALUE, make_probes, share
from generated.scanning import Batch, judge_by, judge_flat

UNSATISFIABLE = {
    "53d4bb30-3f36-4e8a-b078-69d36c4a79ff": "a command line that is RunWizard and holds a GUID",
}
"""Rules that no event can match, and why."""

WINDOWS_SHAPES = {
    "flat": windows.flat_record,
    "evtx": windows.evtx_record,
    "winlogbeat": windows.winlogbeat_record,
}
CLOUDS = {
    ("aws", "cloudtrail"): cloud.CLOUDTRAIL,
    ("gcp", "gcp.audit"): clusters.GOOGLE_CLOUD,
    ("gcp", "google_workspace.admin"): clusters.ADMIN,
    ("gcp", "google_workspace.login"): clusters.LOGIN,
    ("github", "audit"): cloud.GITHUB,
    ("kubernetes", "audit"): clusters.KUBERNETES,
    ("m365", "audit"): cloud.OFFICE,
    ("m365", "exchange"): cloud.MAIL,
    ("m365", "threat_detection"): cloud.ALERTS,
    ("m365", "threat_management"): cloud.ALERTS,
    ("okta", "okta"): cloud.OKTA,
}
"""Product and service → their log."""
UNSAID = {
    ("log_analytics", "microsoft365_bypass_conditional_access"): "no sign-ins in OfficeActivity",
    ("log_analytics", "microsoft365_suspicious_email_delivered"): "nor columns for mail",
}
"""Shape and rule for which it has no place, and why."""
SHOWN = 20


def is_for_windows(rule):
    return rule.product == "windows" or rule.category == "antivirus"


def for_windows(corpus):
    return [rule for rule in corpus if is_for_windows(rule)]


def for_azure(corpus):
    return [rule for rule in corpus if rule.product == "azure"]


def for_clouds(corpus):
    return [rule for rule in corpus if (rule.product, rule.service) in CLOUDS]


def for_others(corpus):
    known = {*for_windows(corpus), *for_azure(corpus), *for_clouds(corpus)}
    return sorted(set(corpus) - known, key=lambda rule: (rule.log_source, rule.id))


def without_values(probes):
    return [probe for probe in probes if probe.kind != EACH_VALUE]


def unmade(made):
    """Return the rules for which no event was made, or no near miss."""
    return {
        rule.id
        for rule, probes in made.items()
        if {probe.expected for probe in probes} != {True, False}
    }


def expected_of(rules):
    return UNSATISFIABLE.keys() & {rule.id for rule in rules}


def test_rules_without_events_are_rules_of_the_corpus(corpus):
    assert UNSATISFIABLE.keys() <= {rule.id for rule in corpus}


def test_windows_rules(corpus, sigma_corpus, tmp_path, count):
    rules = for_windows(corpus)
    batch, made = Batch(tmp_path), {}
    for rule in rules:
        (variant, world), *audited = windows.worlds(rule)
        made[rule] = probes = make_probes(rule, world)
        for shape, write in WINDOWS_SHAPES.items():
            if shape == "flat" or share(rule.id, 3) == 0:
                chosen = probes if shape == "flat" else without_values(probes)
                batch.add(shape, chosen, partial(write, rule, variant), judge_flat(world))
        for variant, world in audited:
            write = partial(windows.flat_record, rule, variant)
            batch.add("audit", make_probes(rule, world), write, judge_by(windows.reader))
    assert unmade(made) == expected_of(rules)
    folders = [path for path in sorted(sigma_corpus.iterdir()) if path.is_dir()]
    alerts = batch.scan([path for path in folders if path.name != LEFT_OUT])
    count("Windows events", batch.counts)
    assert not list(batch.wrong(alerts))[:SHOWN]
    flat = Batch(tmp_path, {name: batch.files[name] for name in ("flat", "audit")})
    judged = {one for one in alerts if one[0] in flat.files}
    assert not list(flat.wrong_elsewhere(judged, rules, windows.reader))[:SHOWN]


def test_azure_rules(corpus, tmp_path, count):
    rules = for_azure(corpus)
    batch, made = Batch(tmp_path), {}
    for rule in rules:
        world = azure.make_world(rule)
        made[rule] = probes = make_probes(rule, world)
        for shape, write in azure.SHAPES[rule.service].items():
            batch.add(f"{rule.service} {shape}", probes, write, judge_flat(world))
    assert unmade(made) == expected_of(rules)
    alerts = batch.scan([rule.path for rule in rules])
    count("Azure events", batch.counts)
    assert not list(batch.wrong(alerts))[:SHOWN]


def test_rules_for_clouds_and_services(corpus, tmp_path, count):
    rules = for_clouds(corpus)
    batch, made, unsaid = Batch(tmp_path), {}, set()
    for rule in rules:
        source = CLOUDS[rule.product, rule.service]
        world = source.world()
        made[rule] = probes = make_probes(rule, world)
        for shape, write in source.writers().items():
            file = f"{rule.product} {rule.service} {shape}"
            batch.add(file, probes, write, judge_flat(world))
            if not any(one.probe.rule is rule and one.expected for one in batch.files[file]):
                unsaid.add((shape, rule.path.stem))
    assert unmade(made) == expected_of(rules)
    assert unsaid == UNSAID.keys()
    alerts = batch.scan([rule.path for rule in rules])
    count("cloud events", batch.counts)
    assert not list(batch.wrong(alerts))[:SHOWN]
    products = {rule.id: rule.product for rule in rules}
    strange = [one for one in alerts if products[one[2]] not in {one[0].split()[0], *also(one[0])}]
    assert not strange[:SHOWN]


def also(file):
    """Return the product whose rules see a file's events besides those of its own."""
    return {"gcp"} if file.endswith(" gke") else set()


def test_rules_whose_logs_have_no_log_type(corpus, tmp_path, count):
    rules, made = for_others(corpus), {}
    counts, wrong = Counter(), []
    for number, (source, group) in enumerate(groupby(rules, lambda rule: rule.log_source)):
        batch, same_source = Batch(tmp_path / str(number)), list(group)
        for rule in same_source:
            made[rule] = probes = make_probes(rule, plain.WORLD)
            write = partial(plain.make_record, rule)
            batch.add("events", probes, write, judge_flat(plain.WORLD))
        alerts = batch.scan([rule.path for rule in same_source], "--log-type", source)
        wrong += batch.wrong(alerts)
        wrong += batch.wrong_elsewhere(alerts, same_source, plain.reader)
        counts += batch.counts
    assert unmade(made) == expected_of(rules)
    count("other events", counts)
    assert not wrong[:SHOWN]
