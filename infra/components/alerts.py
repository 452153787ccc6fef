"""Alert policies: for failures, latency, drift of the inputs, and decisions handed to humans."""

from __future__ import annotations

import pulumi
from pulumi_gcp import logging, monitoring

from infra.components.naming import Naming
from infra.components.site import Site
from infra.settings import Alerts

WINDOW = "300s"
_REQUESTS = 'metric.type = "run.googleapis.com/request_count"'
_LATENCY = 'metric.type = "run.googleapis.com/request_latencies"'


class ServiceAlerts(pulumi.ComponentResource):
    """Four policies, and whom they are sent to.

    Failures and latency are Cloud Run's own metrics. Doubt is counted in the service's log, which has a
    record of each decision. Drift is the service's own number (at ``/metrics``), as Managed Service for
    Prometheus collects it.
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
        decisions = _decisions(name, site, child)
        for kind, title, condition in (
            ("errors", "answers with 5xx", _errors(site.names, alerts)),
            ("latency", "slow answers", _latency(site.names, alerts)),
            ("drift", "inputs unlike the training data", _drift(site.names, alerts)),
            ("doubt", "too many decisions handed to a human", _doubt(site.names, alerts, decisions.name)),
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
    return _share(
        f"more than {alerts.errors:.2%} of answers are 5xx",
        f'{_of(names)} AND {_REQUESTS} AND metric.labels.response_code_class = "5xx"',
        f"{_of(names)} AND {_REQUESTS}",
        alerts.errors,
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
    prometheus = monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs
    return monitoring.AlertPolicyConditionArgs(
        display_name=f"population stability index above {alerts.drift}",
        condition_prometheus_query_language=prometheus(
            query=f'max(loan_input_drift{{namespace="{names.service}"}}) > {alerts.drift}',
            duration="3600s",
            evaluation_interval="60s",
            # The first release has yet to send its first number when its alerts are made.
            disable_metric_validation=True,
        ),
    )


def _decisions(name: str, site: Site, opts: pulumi.ResourceOptions) -> logging.Metric:
    """Decisions by outcome, counted in the log."""
    return logging.Metric(
        f"{name}-decisions",
        project=site.project,
        name=f"{site.names.service}-decisions",
        description=site.names.title("decisions by outcome"),
        filter=f'{_of(site.names)} AND jsonPayload.event = "decision"',
        label_extractors={"decision": "EXTRACT(jsonPayload.decision)"},
        metric_descriptor=logging.MetricMetricDescriptorArgs(
            metric_kind="DELTA",
            value_type="INT64",
            labels=[logging.MetricMetricDescriptorLabelArgs(key="decision", value_type="STRING")],
        ),
        opts=opts,
    )


def _doubt(
    names: Naming, alerts: Alerts, decisions: pulumi.Input[str]
) -> monitoring.AlertPolicyConditionArgs:
    counted = pulumi.Output.concat(
        _of(names), ' AND metric.type = "logging.googleapis.com/user/', decisions, '"'
    )
    return _share(
        f"more than {alerts.doubt:.0%} of decisions go to a human",
        pulumi.Output.concat(counted, ' AND metric.labels.decision = "refer"'),
        counted,
        alerts.doubt,
    )


def _share(
    title: str, part: pulumi.Input[str], whole: pulumi.Input[str], limit: float
) -> monitoring.AlertPolicyConditionArgs:
    """One rate over another, both over a window."""
    return monitoring.AlertPolicyConditionArgs(
        display_name=title,
        condition_threshold=monitoring.AlertPolicyConditionConditionThresholdArgs(
            filter=part,
            denominator_filter=whole,
            comparison="COMPARISON_GT",
            threshold_value=limit,
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
