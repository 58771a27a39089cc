"""What a hand finds on a page in a real browser, and where one is.

Skipped where there is no Chromium, as `conftest.chromium` says.
"""

import re
from urllib.parse import parse_qs, urlsplit

from conftest import complaints, settle

TOP = "document.querySelector('[data-testid=stMain]').scrollTop"


def test_an_entry_opens_at_the_top_and_back_leads_to_where_one_was(app, tab):
    page = tab(app.url)
    page.goto(app.url)
    settle(page)
    card = page.get_by_role("link", name=re.compile("mnist-vae-2d"))
    card.scroll_into_view_if_needed()
    card.locator("img").wait_for()
    before = page.evaluate(TOP)
    assert before > 500
    for way in (page.go_back, page.get_by_role("button", name="All entries").click):
        card.click()
        page.get_by_role("heading", name="Provenance").wait_for()
        settle(page)
        assert parse_qs(urlsplit(page.url).query)["entry"] == ["mnist-vae-2d"]
        assert page.evaluate(TOP) == 0
        way()
        page.get_by_role("heading", name="Gallery", exact=True).wait_for()
        page.wait_for_function(f"Math.abs({TOP} - {before}) < 2")
        page.wait_for_url(lambda url: "entry" not in parse_qs(urlsplit(url).query))
    assert complaints(page) == []


def test_a_card_opens_in_a_new_tab(app, tab):
    page = tab(app.url)
    page.goto(app.url)
    settle(page)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=re.compile("fruits-vae ")).first.click(modifiers=["ControlOrMeta"])
    opened.value.get_by_role("heading", name="Provenance").wait_for()
    assert "entry" not in page.url


def test_a_name_on_the_board_opens_its_entry_and_a_phone_shows_figures(app, tab):
    page = tab(app.url, "phone")
    page.goto(f"{app.url}/leaderboard?dataset=mnist")
    settle(page)
    row = page.get_by_role("row").nth(1)
    assert all(
        cell.bounding_box()["x"] + cell.bounding_box()["width"] <= 390 for cell in row.locator("th, td").all()[:4]
    )
    page.get_by_role("button", name="Coverage").click()
    page.get_by_role("columnheader", name="Coverage").and_(page.locator("[aria-sort=descending]")).wait_for()
    name = row.get_by_role("link").inner_text()
    row.get_by_role("link").click()
    page.get_by_role("heading", name=re.compile(f"{name}$")).wait_for()
    assert parse_qs(urlsplit(page.url).query)["entry"] == [name]


def test_on_a_phone_the_sidebar_closes_and_a_tile_leads_to_its_close_look(app, tab):
    page = tab(app.url, "phone")
    page.goto(app.url)
    settle(page)
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Generation").click()
    page.get_by_role("heading", name="Generation", exact=True).wait_for()
    page.wait_for_selector("[data-testid=stSidebar][data-collapsed=true]", state="attached")
    settle(page)
    assert page.locator(".picture canvas").first.bounding_box()["y"] < 844
    page.get_by_role("button", name=re.compile("Image 3 by")).first.click()
    page.get_by_role("heading", name="Image 3, enlarged").wait_for()
    page.wait_for_function(
        "(h => h.getBoundingClientRect().top < innerHeight)(document.querySelector('.st-key-closer'))"
    )


def test_an_audience_sees_large_type_and_no_sidebar(app, tab):
    page = tab(app.url, "projector")
    page.goto(f"{app.url}/import?present")
    settle(page)
    page.wait_for_function("getComputedStyle(document.documentElement).fontSize === '20px'")
    assert not page.get_by_test_id("stSidebar").is_visible()


def test_a_point_shows_its_picture(app, tab):
    page = tab(app.url)
    page.goto(f"{app.url}/distributions?dataset=digits")
    settle(page)
    chart = page.locator(".st-key-features")
    point = chart.locator(".scatterlayer .point").nth(5)
    point.wait_for()
    chart.scroll_into_view_if_needed()
    chart.hover(position={"x": 5, "y": 5})
    peek = page.locator(".peek[style*='data:image']")
    peek.first.wait_for(state="attached")
    box = point.bounding_box()
    for step in range(4):
        page.mouse.move(box["x"] + step, box["y"] + box["height"] / 2)
    peek.and_(page.locator(":not([hidden])")).wait_for()
