"""The web page, in a real browser."""

import os
import re
import shutil

import pytest
from google.cloud import run_v2
from playwright.sync_api import sync_playwright

from tests.integration.infra.local import plain
from tests.integration.infra.local.whole.conftest import PARENT, service

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install chromium")


@pytest.fixture(scope="module")
def browser():
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, cloud):
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(cloud.addresses["endpoint"])
    yield page
    page.close()
    assert errors == []


def test_an_empty_cloud_says_how_to_fill_it(page):
    assert "No service yet." in page.inner_text("#cloud")


@pytest.mark.slow
def test_a_service_appears_by_itself_with_its_revision_traffic_instances_and_logs(
    cloud, clients, image, page
):
    request = run_v2.CreateServiceRequest(parent=PARENT, service_id="seen", service=service(image))
    made = clients.services.create_service(request).result(timeout=60)
    cloud.get(made.uri, "/print", method="POST", content=b"<b>a line</b> of its own")
    page.wait_for_selector("h2:has-text('seen')")
    row = page.locator("tbody tr", has_text=made.latest_ready_revision.rpartition("/")[2])
    row.locator("td:nth-child(5):text-is('1')").wait_for()
    assert [row.locator("td").nth(each).inner_text().strip() for each in (0, 1, 2)] == ["ready", "100 %", "1"]
    assert page.get_attribute("section a", "href") == made.uri
    page.click("summary")
    page.wait_for_selector("pre:has-text('<b>a line</b> of its own')")
    for _ in range(2):  # the page is made anew meanwhile
        page.wait_for_event("requestfinished")
    assert page.locator("details[open]").count() == 1


def test_a_revision_that_failed_is_shown_with_googles_reason(clients, image, page):
    request = run_v2.CreateServiceRequest(
        parent=PARENT, service_id="broken", service=service(image, env={"MODE": "exit"})
    )
    operation = clients.services.create_service(request)
    assert operation.exception(timeout=60) is not None
    page.reload()
    section = page.locator("section", has_text="broken")
    assert re.search("failed to start and listen on the port", section.inner_text())


@pytest.mark.slow
def test_the_page_says_when_the_cloud_is_gone(browser, cloud):
    page = browser.new_page()
    page.goto(cloud.addresses["endpoint"])
    page.route("**/*", lambda route: route.abort())
    assert page.wait_for_selector("#state:has-text('the cloud does not answer')")
    page.close()


def test_the_page_works_in_no_foreign_frame_and_runs_no_foreign_script(cloud):
    policy = plain.get(cloud.addresses["endpoint"]).headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
