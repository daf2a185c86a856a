"""Holds a SARIF document against the standard.

usage: sarif.py DOCUMENT

Against OASIS's own JSON schema, if that and Python's jsonschema are installed: $SARIF_SCHEMA names
it, or else it is looked for where `npm install -g @datadog/datadog-ci@2.48.0`, which comes with it,
puts it. In any case against the rules of the standard's text that a schema cannot tell. Prints
"schema" or "no schema: WHY", then the number of results.
"""
import json
import os
import subprocess
import sys
import urllib.parse

IN_NPM = '@datadog/datadog-ci/dist/commands/sarif/json-schema/sarif-schema-2.1.0.json'


def find_schema():
    if os.environ.get('SARIF_SCHEMA'):
        return os.environ['SARIF_SCHEMA']
    try:
        root = subprocess.run(['npm', 'root', '-g'], capture_output=True, text=True,
                              timeout=30).stdout.strip()
    except OSError:
        return None
    path = os.path.join(root, IN_NPM)
    return path if os.path.exists(path) else None


def check_schema(document):
    path = find_schema()
    if not path:
        return 'no schema: it is not installed'
    try:
        import jsonschema
    except ImportError:
        return 'no schema: python3-jsonschema is not installed'
    with open(path, encoding='utf-8') as file:
        schema = json.load(file)
    jsonschema.validators.validator_for(schema)(schema).validate(document)
    return 'schema'


def check_location(location):
    place = location['physicalLocation']
    uri = place['artifactLocation']['uri']
    clean = urllib.parse.quote(urllib.parse.unquote_to_bytes(uri), safe="/:~")
    assert clean == uri, f'not a clean URI: {uri}'
    assert urllib.parse.urlparse(uri).scheme in ('', 'file'), uri
    region = place.get('region')
    if region is not None:
        assert region['byteOffset'] >= 0 and region.get('byteLength', 1) > 0, region
    for logical in location.get('logicalLocations', []):
        assert logical['fullyQualifiedName'], location


def check_result(result, rules):
    rule = rules[result['ruleIndex']]
    assert rule['id'] == result['ruleId'], result
    assert result['level'] == rule['defaultConfiguration']['level'], result
    assert result['message']['text'].isprintable(), result
    assert all(len(value) == 32 for value in result['partialFingerprints'].values()), result
    assert result['suppressions'] in ([], [{'kind': 'external'}]), result
    assert len(result['locations']) == 1, result
    check_location(result['locations'][0])


def check(document):
    assert document['version'] == '2.1.0' and document['$schema'].endswith('sarif-2.1.0.json')
    run, = document['runs']
    rules = run['tool']['driver']['rules']
    ids = [rule['id'] for rule in rules]
    assert len(ids) == len(set(ids)), 'a rule is there twice'
    for rule in rules:
        assert 0 <= float(rule['properties']['security-severity']) <= 10, rule
        assert rule['shortDescription']['text'].endswith('.'), rule
    assert len(run['results']) <= 5000
    for result in run['results']:
        check_result(result, rules)
    order = ['error', 'warning', 'note']
    levels = [order.index(result['level']) for result in run['results']]
    assert levels == sorted(levels), 'not the worst first'
    invocation, = run['invocations']
    notes = invocation['toolExecutionNotifications']
    failures = [note for note in notes if note['level'] != 'note']
    assert invocation['executionSuccessful'] == (not failures), 'success beside failures'
    for note in notes:
        for location in note.get('locations', []):
            check_location(location)
    return len(run['results'])


def main():
    with open(sys.argv[1], 'rb') as file:
        text = file.read()
    assert len(text) <= 10 << 20, 'too large'
    document = json.loads(text.decode('utf-8', 'strict'))
    print(check_schema(document))
    print(check(document))


main()
