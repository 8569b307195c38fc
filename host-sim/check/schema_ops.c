/* schema_ops.c: the contract of schema, op by op (SPEC.md, section 8), and validation at append. */
#include "check/trial.h"

#define OK POLARIS_ES_OK
#define NEEDS_SCHEMA (NEEDS_QUERY | POLARIS_ES_CAN_SCHEMAS)
#define NEEDS_VALIDATE (NEEDS_SCHEMA | POLARIS_ES_CAN_VALIDATE)
#define NEEDS_REJECTED (NEEDS_VALIDATE | POLARIS_ES_CAN_DEAD_LETTERS)
#define PUT(schema)                                                                                                    \
    { "schema", "{'op': 'put', 'type': 'a', 'schema': " schema "}", OK, NULL }
#define WANTS_N PUT("{'type': 'object', 'required': ['n']}")
#define APPEND(data, status, reply)                                                                                    \
    { "store", "{'op': 'append', 'event': {'type': 'a', 'data': " data "}}", status, reply }
#define POLICY(settings)                                                                                               \
    { "schema", "{'op': 'policy', 'type': 'a', " settings "}", OK, NULL }

static const struct check CHECKS[] = {
    SCRIPT("schema/versions-are-numbered", "from 1, without gaps; the same again is no new one", NEEDS_SCHEMA, NULL,
           {"schema", "{'op': 'put', 'type': 'a', 'schema': {'type': 'object'}}", OK,
            "{'type': 'a', 'version': 1, 'created': true}"},
           {"schema", "{'op': 'put', 'type': 'a', 'schema': true, 'expected_version': 1}", OK,
            "{'version': 2, 'created': true}"},
           {"schema", "{'op': 'put', 'type': 'a', 'schema': true}", OK, "{'version': 2, 'created': false}"},
           {"schema", "{'op': 'put', 'type': 'a', 'schema': {}, 'expected_version': 1}", POLARIS_ES_CONFLICT,
            "{'details': {'path': '/expected_version', 'current_version': 2}}"},
           {"schema", "{'op': 'versions', 'type': 'a'}", OK,
            "{'latest': 2, 'current': 2, 'versions': [{'version': 1}, {'version': 2}]}"}),
    SCRIPT("schema/comes-back-as-it-was-put", "each in its format", NEEDS_SCHEMA, NULL,
           {"schema", "{'op': 'put', 'type': 'a', 'schema': {'type': 'object'}, 'metadata': {'by': 'me'}}", OK, NULL},
           {"schema", "{'op': 'put', 'type': 'a', 'schema': 'true'}", OK, NULL}, {"reopen", NULL, 0, NULL},
           {"schema", "{'op': 'get', 'type': 'a', 'version': 1}", OK,
            "{'version': 1, 'format': 'msgpack', 'schema': {'type': 'object'}, 'metadata': {'by': 'me'}}"},
           {"schema", "{'op': 'get', 'type': 'a'}", OK, "{'version': 2, 'format': 'json', 'schema': 'true'}"},
           {"schema", "{'op': 'get', 'type': 'b'}", POLARIS_ES_NOT_FOUND, "{'details': {'path': '/type'}}"},
           {"schema", "{'op': 'get', 'type': 'a', 'version': 3}", POLARIS_ES_NOT_FOUND, NULL}),
    SCRIPT("schema/retired-versions-go-out-of-use", "and the one before is current again", NEEDS_SCHEMA, NULL,
           PUT("{}"), PUT("true"), {"schema", "{'op': 'retire', 'type': 'a', 'version': 2}", OK, "{'current': 1}"},
           {"schema", "{'op': 'retire', 'type': 'a', 'version': 2}", POLARIS_ES_ALREADY, NULL},
           {"schema", "{'op': 'retire', 'type': 'a', 'version': 7}", POLARIS_ES_NOT_FOUND, NULL},
           {"schema", "{'op': 'get', 'type': 'a'}", OK, "{'version': 1}"}),
    SCRIPT(
        "schema/types-are-listed", "by prefix, with their settings", NEEDS_SCHEMA, NULL, PUT("{}"),
        {"schema", "{'op': 'put', 'type': 'b', 'schema': {}}", OK, NULL},
        {"schema", "{'op': 'list', 'limit': 1}", OK,
         "{'types': [{'type': 'a', 'latest': 1, 'current': 1, 'policy': 'reject'}], 'more': true}"},
        {"schema", "{'op': 'list', 'limit': 1, 'cursor': '$cursor'}", OK, "{'types': [{'type': 'b'}], 'more': false}"},
        {"schema", "{'op': 'list', 'prefix': 'c'}", OK, "{'types': []}"}),
    SCRIPT("schema/what-is-no-schema-is-refused", "with the path of what is wrong", NEEDS_VALIDATE, NULL,
           {"schema", "{'op': 'put', 'type': 'a', 'schema': {'properties': {'id': {'type': 'strin'}}}}",
            POLARIS_ES_INVALID, "{'details': {'path': '/schema/properties/id/type'}}"},
           {"schema", "{'op': 'put', 'type': 'a', 'schema': 'no json'}", POLARIS_ES_INVALID, NULL},
           {"schema", "{'op': 'put', 'type': 'a', 'schema': 7}", POLARIS_ES_INVALID, NULL},
           {"schema",
            "{'op': 'put', 'type': 'a', 'schema': {'$schema': 'https://example.org/other', 'type': 'object'}}",
            POLARIS_ES_UNSUPPORTED, NULL},
           {"schema", "{'op': 'list'}", OK, "{'types': []}"}),
    SCRIPT("schema/validates-before-it-stores", "REJECTED, with the failures; nothing of it is stored", NEEDS_VALIDATE,
           NULL, WANTS_N, APPEND("{'n': 1}", OK, "{'ids': ['#1']}"),
           APPEND("{}", POLARIS_ES_REJECTED,
                  "{'details': {'path': '/event', 'type': 'a', 'version': 1, 'truncated': false, "
                  "'failures': [{'instance': '', 'keyword': '/required', 'code': 'required', 'message': '*', "
                  "'line': '*'}]}}"),
           {"store", "{'op': 'append', 'events': [{'type': 'a', 'data': {'n': 1}}, {'type': 'a', 'data': {}}]}",
            POLARIS_ES_REJECTED, "{'details': {'path': '/events/1'}}"},
           {"store", "{'op': 'append', 'event': {'type': 'b', 'data': {}}}", OK, "{'ids': ['#2']}"},
           {"query", "{'op': 'get', 'id': '#1'}", OK, "{'event': {'schema_version': 1}}"}),
    SCRIPT("schema/policy-off-validates-nothing", "and warn stores what it warns of", NEEDS_VALIDATE, NULL, WANTS_N,
           POLICY("'policy': 'warn'"),
           APPEND("{}", OK, "{'ids': ['#1'], 'warnings': [{'index': 0, 'type': 'a', 'version': 1}]}"),
           POLICY("'policy': 'off'"), APPEND("{}", OK, "{'ids': ['#2'], 'warnings': '!'}"),
           POLICY("'policy': 'reject'"), APPEND("{}", POLARIS_ES_REJECTED, NULL)),
    SCRIPT(
        "schema/policy-dead-letter-keeps-what-is-rejected", "to be corrected, stored or discarded", NEEDS_REJECTED,
        NULL, WANTS_N, POLICY("'policy': 'dead_letter'"),
        APPEND("{}", OK, "{'ids': [null], 'rejected': [{'index': 0, 'id': '#rejected', 'type': 'a', 'version': 1}]}"),
        {"query", "{'op': 'count'}", OK, "{'count': 0}"},
        {"dlq", "{'op': 'rejected.list', 'states': ['waiting']}", OK,
         "{'entries': [{'id': '#rejected', 'state': 'waiting', 'event': {'type': 'a', 'data': {}}}]}"},
        {"dlq", "{'op': 'rejected.resubmit', 'id': '#rejected'}", POLARIS_ES_REJECTED, NULL},
        {"dlq", "{'op': 'rejected.resubmit', 'id': '#rejected', 'event': {'type': 'a', 'data': {'n': 1}}}", OK,
         "{'id': '#1', 'entry': {'state': 'resubmitted', 'event_id': '#1'}}"},
        {"dlq", "{'op': 'rejected.resubmit', 'id': '#rejected'}", POLARIS_ES_ALREADY, NULL},
        {"dlq", "{'op': 'rejected.discard', 'id': '#rejected', 'reason': 'r'}", POLARIS_ES_CLOSED, NULL},
        {"dlq", "{'op': 'rejected.purge'}", OK, "{'count': 1}"}),
    SCRIPT("schema/validate-stores-nothing", "by a version, or by a schema that is not put", NEEDS_VALIDATE, NULL,
           WANTS_N,
           {"schema", "{'op': 'validate', 'type': 'a', 'data': {'n': 1}}", OK, "{'valid': true, 'version': 1}"},
           {"schema", "{'op': 'validate', 'type': 'a', 'data': {}}", OK,
            "{'valid': false, 'failures': [{'code': 'required'}]}"},
           {"schema", "{'op': 'validate', 'schema': {'minimum': 3}, 'data': 2}", OK,
            "{'valid': false, 'failures': [{'code': 'minimum', 'instance': ''}]}"},
           {"schema", "{'op': 'validate', 'type': 'b', 'data': {}}", POLARIS_ES_NOT_FOUND, NULL},
           {"query", "{'op': 'count'}", OK, "{'count': 0}"}),
    SCRIPT("schema/compares-versions", "yes, and no with a witness", NEEDS_VALIDATE, NULL, WANTS_N,
           {"schema",
            "{'op': 'check', 'type': 'a', 'compatibility': 'backward', "
            "'schema': {'type': 'object', 'required': ['n', 'm']}}",
            OK, "{'answer': 'no', 'against': [1], 'differences': [{'direction': 'backward', 'witness': '*'}]}"},
           {"schema", "{'op': 'check', 'type': 'a', 'compatibility': 'backward', 'schema': {'type': 'object'}}", OK,
            "{'answer': 'yes', 'differences': []}"}),
    SCRIPT("schema/compatibility-is-demanded-of-put", "unless it is forced", NEEDS_VALIDATE, NULL, WANTS_N,
           POLICY("'compatibility': 'backward'"),
           {"schema", "{'op': 'put', 'type': 'a', 'schema': {'type': 'object', 'required': ['n', 'm']}}",
            POLARIS_ES_CONFLICT, "{'details': {'answer': 'no'}}"},
           {"schema", "{'op': 'put', 'type': 'a', 'schema': {'type': 'object', 'required': ['n', 'm']}, 'force': true}",
            OK, "{'version': 2}"},
           {"schema", "{'op': 'put', 'type': 'a', 'schema': {'type': 'object'}}", OK, "{'version': 3}"}),
    SCRIPT("schema/dry-run-reads-what-is-stored", "and changes nothing", NEEDS_VALIDATE, NULL,
           APPEND("{'n': 1}", OK, "{'ids': ['#1']}"), APPEND("{}", OK, "{'ids': ['#2']}"),
           {"schema", "{'op': 'dry_run', 'type': 'a', 'schema': {'required': ['n']}}", OK,
            "{'checked': 2, 'valid': 1, 'invalid': 1, 'last_id': '#2', 'more': false}"},
           {"schema", "{'op': 'list'}", OK, "{'types': []}"}),
};
const struct check_group CHECK_SCHEMA = CHECK_GROUP(CHECKS);
