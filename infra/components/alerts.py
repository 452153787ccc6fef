"""Alert policies: for failures, latency, drift of the inputs, and decisions handed to humans."""

from __future__ import annotations

import pulumi
from pulumi_gcp import monitoring

from infra.components.naming import Naming
from infra.components.site import Site
from infra.settings import Alerts

WINDOW = "300s"
_REQUESTS = 'metric.type = "run.googleapis.com/request_count"'
_LATENCY = 'metric.type = "run.googleapis.com/request_latencies"'


class ServiceAlerts(pulumi.ComponentResource):
    """Four policies, and whom they are sent to.

    Failures and latency are Cloud Run's own metrics. Drift and doubt are the service's (at ``/metrics``), as
    Managed Service for Prometheus collects them.
    """

    def __init__(
        self, name: str, *, site: Site, alerts: Alerts, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("shipway:infra:ServiceAlerts", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        channels = [
            monitoring.NotificationChannel(
                f"{name}-{mail}",
                project=site.project,
                type="email",
                display_name=site.names.title(mail),
                labels={"email_address": mail},
                user_labels=site.names.labels,
                opts=child,
            ).name
            for mail in alerts.emails
        ]
        for kind, title, condition in (
            ("errors", "answers with 5xx", _errors(site.names, alerts)),
            ("latency", "slow answers", _latency(site.names, alerts)),
            ("drift", "inputs unlike the training data", _drift(site.names, alerts)),
            ("doubt", "too many decisions handed to a human", _doubt(site.names, alerts)),
        ):
            monitoring.AlertPolicy(
                f"{name}-{kind}",
                project=site.project,
                display_name=site.names.title(title),
                combiner="OR",
                conditions=[condition],
                notification_channels=channels,
                user_labels={**site.names.labels, "alert": kind},
                opts=child,
            )
        self.register_outputs({})


def _of(names: Naming) -> str:
    return f'resource.type = "cloud_run_revision" AND resource.labels.service_name = "{names.service}"'


def _errors(names: Naming, alerts: Alerts) -> monitoring.AlertPolicyConditionArgs:
    return monitoring.AlertPolicyConditionArgs(
        display_name=f"more than {alerts.errors:.2%} of answers are 5xx",
        condition_threshold=monitoring.AlertPolicyConditionConditionThresholdArgs(
            filter=f'{_of(names)} AND {_REQUESTS} AND metric.labels.response_code_class = "5xx"',
            denominator_filter=f"{_of(names)} AND {_REQUESTS}",
            comparison="COMPARISON_GT",
            threshold_value=alerts.errors,
            duration="0s",
            aggregations=[
                monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                    alignment_period=WINDOW,
                    per_series_aligner="ALIGN_RATE",
                    cross_series_reducer="REDUCE_SUM",
                )
            ],
            denominator_aggregations=[
                monitoring.AlertPolicyConditionConditionThresholdDenominatorAggregationArgs(
                    alignment_period=WINDOW,
                    per_series_aligner="ALIGN_RATE",
                    cross_series_reducer="REDUCE_SUM",
                )
            ],
        ),
    )


def _latency(names: Naming, alerts: Alerts) -> monitoring.AlertPolicyConditionArgs:
    return monitoring.AlertPolicyConditionArgs(
        display_name=f"95th percentile above {alerts.latency} ms",
        condition_threshold=monitoring.AlertPolicyConditionConditionThresholdArgs(
            filter=f"{_of(names)} AND {_LATENCY}",
            comparison="COMPARISON_GT",
            threshold_value=alerts.latency,
            duration="0s",
            aggregations=[
                monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                    alignment_period=WINDOW,
                    per_series_aligner="ALIGN_DELTA",
                    cross_series_reducer="REDUCE_PERCENTILE_95",
                )
            ],
        ),
    )


def _drift(names: Naming, alerts: Alerts) -> monitoring.AlertPolicyConditionArgs:
    return _query(
        f"population stability index above {alerts.drift}",
        f'max(loan_input_drift{{service_name="{names.service}"}}) > {alerts.drift}',
        "3600s",
    )


def _doubt(names: Naming, alerts: Alerts) -> monitoring.AlertPolicyConditionArgs:
    return _query(
        f"more than {alerts.doubt:.0%} of decisions go to a human",
        f'avg(loan_low_confidence_share{{service_name="{names.service}"}}) > {alerts.doubt}',
        WINDOW,
    )


def _query(title: str, query: str, duration: str) -> monitoring.AlertPolicyConditionArgs:
    return monitoring.AlertPolicyConditionArgs(
        display_name=title,
        condition_prometheus_query_language=monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
            query=query,
            duration=duration,
            evaluation_interval="60s",
            # The first release has yet to send its first number when its alerts are made.
            disable_metric_validation=True,
        ),
    )
