"""Records of CloudTrail and Microsoft 365 under the names of the Elastic Common Schema."""

import pytest
from seeing import parse

from tocsin.condition.functions import apply
from tocsin.condition.tree import Call, Field
from tocsin.logs.load import shipped_log_types
from tocsin.logs.view import RecordView, identify

TRAIL = {
    "eventVersion": "1.09",
    "eventTime": "2026-03-04T05:06:07Z",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "ModifyImageAttribute",
    "awsRegion": "eu-west-1",
    "sourceIPAddress": "192.0.2.7",
    "userAgent": "aws-cli/2",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AROA:ann",
        "arn": "arn:aws:sts::123456789012:assumed-role/ops/ann",
        "accessKeyId": "ASIA",
        "invokedBy": "x.amazonaws.com",
        "sessionContext": {
            "sessionIssuer": {"arn": "arn:aws:iam::123456789012:role/ops", "userName": "ops"},
            "attributes": {"mfaAuthenticated": "false"},
        },
    },
    "requestParameters": {
        "imageId": "ami-1",
        "launchPermission": {"add": {"items": [{"userId": "1"}, {"group": "all"}]}},
        "enable": False,
        "none": None,
    },
    "responseElements": None,
    "resources": [{"ARN": "arn:aws:s3:::a", "accountId": "1", "type": "AWS::S3::Bucket"}],
    "recipientAccountId": "123456789012",
    "tlsDetails": {"clientProvidedHostHeader": "ec2.eu-west-1.amazonaws.com"},
    "sessionCredentialFromConsole": "true",
}
SIGN_IN = {
    **TRAIL,
    "eventName": "ConsoleLogin",
    "responseElements": {"ConsoleLogin": "Failure"},
    "additionalEventData": {"MFAUsed": "No", "LoginTo": "https://console"},
}
OFFICE = {
    "CreationTime": "2026-03-04T05:06:07",
    "Id": "7",
    "Operation": "New-InboxRule",
    "Workload": "Exchange",
    "RecordType": 1,
    "ResultStatus": "True",
    "UserId": "ann@contoso.example",
    "UserType": 2,
    "ClientIP": "[2001:db8::1]:443",
    "Parameters": [
        {"Name": "ForwardTo", "Value": "z@evil.example"},
        {"Name": "Enabled", "Value": "True"},
    ],
    "ExtendedProperties": [{"Name": "UserAgent", "Value": "x/1"}],
    "ModifiedProperties": [{"Name": "Role.DisplayName", "NewValue": "Admin", "OldValue": ""}],
    "DeviceProperties": [{"Name": "OS", "Value": "Linux"}],
    "OrganizationId": "c",
}
PERMISSION = "launchPermission={add={items=[{userId=1}, {group=all}]}}"
FACTS = {
    "CloudTrail": (
        TRAIL,
        {
            "data_stream.dataset": ["aws.cloudtrail"],
            "event.dataset": ["aws.cloudtrail"],
            "event.module": ["aws"],
            "event.action": ["ModifyImageAttribute"],
            "event.provider": ["ec2.amazonaws.com"],
            "event.outcome": ["success"],
            "source.ip": ["192.0.2.7"],
            "source.address": ["192.0.2.7"],
            "user.id": ["AROA:ann"],
            "user.name": ["ops"],
            "cloud.account.id": ["123456789012"],
            "cloud.region": ["eu-west-1"],
            "tls.client.server_name": ["ec2.eu-west-1.amazonaws.com"],
            "aws.cloudtrail.user_identity.type": ["AssumedRole"],
            "aws.cloudtrail.user_identity.access_key_id": ["ASIA"],
            "aws.cloudtrail.user_identity.invoked_by": ["x.amazonaws.com"],
            "aws.cloudtrail.user_identity.session_context.session_issuer.arn": [
                "arn:aws:iam::123456789012:role/ops"
            ],
            "aws.cloudtrail.user_identity.session_context.mfa_authenticated": ["false"],
            "aws.cloudtrail.resources.arn": ["arn:aws:s3:::a"],
            "aws.cloudtrail.resources.account_id": ["1"],
            "aws.cloudtrail.session_credential_from_console": ["true"],
            "aws.cloudtrail.request_parameters": [
                f"{{imageId=ami-1, {PERMISSION}, enable=false, none=null}}"
            ],
            "aws.cloudtrail.response_elements": None,
            "aws.cloudtrail.flattened.request_parameters.imageId": ["ami-1"],
            "aws.cloudtrail.flattened.request_parameters.launchPermission.add.items.group": ["all"],
            "aws.cloudtrail.error_code": None,
        },
    ),
    "a call that failed": (
        {**TRAIL, "errorCode": "AccessDenied"},
        {"event.outcome": ["failure"], "aws.cloudtrail.error_code": ["AccessDenied"]},
    ),
    "a sign-in that failed": (
        SIGN_IN,
        {
            "event.outcome": ["failure"],
            "aws.cloudtrail.console_login.additional_eventdata.mfa_used": ["false"],
            "aws.cloudtrail.additional_eventdata": ["{MFAUsed=No, LoginTo=https://console}"],
        },
    ),
    "a service's address": (
        {**TRAIL, "sourceIPAddress": "ec2.amazonaws.com"},
        {"source.ip": None, "source.address": ["ec2.amazonaws.com"]},
    ),
    "Microsoft 365": (
        OFFICE,
        {
            "data_stream.dataset": ["o365.audit"],
            "event.action": ["New-InboxRule"],
            "event.provider": ["Exchange"],
            "event.code": ["ExchangeAdmin"],
            "event.category": ["web"],
            "event.outcome": ["success"],
            "source.ip": ["2001:db8::1"],
            "user.id": ["ann@contoso.example"],
            "user.name": ["ann"],
            "user.domain": ["contoso.example"],
            "user.email": ["ann@contoso.example"],
            "user_agent.original": ["x/1"],
            "o365.audit.Parameters.ForwardTo": ["z@evil.example"],
            "o365.audit.Parameters.Enabled": ["True"],
            "o365.audit.ModifiedProperties.Role_DisplayName.NewValue": ["Admin"],
            "o365.audit.ModifiedProperties.Role_DisplayName.OldValue": None,
            "o365.audit.DeviceProperties.Value": ["Linux"],
            "o365.audit.UserType": ["2"],
        },
    ),
    "a sign-in to Microsoft 365 that failed": (
        {**OFFICE, "Operation": "UserLoginFailed", "ResultStatus": "Success"},
        {"event.outcome": ["failure"], "event.category": ["authentication"]},
    ),
    "an operation that failed": (
        {**OFFICE, "ResultStatus": "False"},
        {"event.outcome": ["failure"]},
    ),
}


@pytest.mark.parametrize(("record", "names"), FACTS.values(), ids=FACTS)
def test_names_of_ecs(record, names):
    parsed = parse(record)
    _, shape = identify(parsed, shipped_log_types())
    seen = RecordView(parsed, shape, "ecs")
    found = {name: seen.read(Field((name,))) or None for name in names}
    texts = {
        name: None if values is None else apply((Call("text"),), values)
        for name, values in found.items()
    }
    assert texts == names
