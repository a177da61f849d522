"""Where a release reads its secrets that takes them from AWS Secrets Manager: as the guide shows it, with boto3."""
import json
import os

import boto3


def read():
    client = boto3.client("secretsmanager")
    return json.loads(client.get_secret_value(SecretId=os.environ["R3MES_SECRET_ID"])["SecretString"])
