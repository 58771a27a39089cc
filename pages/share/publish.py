"""Publish: an entry becomes a repository on the Hugging Face Hub, shown in full before anything is sent."""

import streamlit as st

from zoo import widgets
from zoo.entries import Entry
from zoo.errors import PublishError
from zoo.sharing import card, publish

TOKEN, TAKEN, DONE = "hub token", "token taken", "published"


def main() -> None:
    token = st.session_state.pop(TAKEN, None)  # for this run alone, whatever comes of it
    st.title("Publish")
    st.markdown(
        "An entry becomes a repository on the Hugging Face Hub. Anybody can load it from there, with plain Keras, with "
        "ONNX Runtime, or into this app by its name."
    )
    left, right = st.columns([2, 3], gap="large")
    with left:
        entry = widgets.entry_picker()
        repo = widgets.bound(
            st.text_input, "Repository", key="repo", default="", placeholder=f"your-name/{entry.name}",
            help="A user or organisation that your token may write for, and a name.",
        ).strip()  # fmt: skip
        tag = widgets.bound(
            st.text_input, "Tag", key="tag", default="", placeholder="v1", help="Optional: names this version for good."
        ).strip()
        private = widgets.bound(
            st.toggle, "Private", key="private", default=False, help="Only you see it; counts for a new repository."
        )
        with st.form(
            "send", clear_on_submit=True, border=False
        ):  # or leaving the field would run the page, and the text would be lost
            st.text_input(
                "Token", key=TOKEN, type="password", autocomplete="off", placeholder="hf_…",
                help="A token of yours that may write. It is used once and then forgotten: never stored, never logged.",
            )  # fmt: skip
            st.form_submit_button("Publish", type="primary", icon=":material/cloud_upload:", on_click=take_token)
        with widgets.guard():
            if token is not None:
                send(entry, repo, token, tag or None, private)
            outcome(entry, repo)
    with right, widgets.guard():
        dry_run(entry, repo)


def take_token() -> None:
    """Empty the field as soon as its content is about to be used."""
    st.session_state[TAKEN] = st.session_state[TOKEN].strip()
    st.session_state[TOKEN] = ""


def send(entry: Entry, repo: str, token: str, tag: str | None, private: bool) -> None:
    """Publish with the token of whoever asked, never with the server's own; raises EntryError with one sentence."""
    st.session_state.pop(DONE, None)
    publish.check_names(repo, tag)
    if not token:
        raise PublishError("Type a token that may write: the settings of your account on the Hub make one.")
    bar = st.progress(0.0)

    def report(part: float, text: str) -> None:
        bar.progress(part, text=widgets.plain(text))

    try:
        st.session_state[DONE] = (
            entry.id,
            publish.publish(entry, repo, token=token, tag=tag, private=private, report=report),
        )
    finally:
        bar.empty()


def outcome(entry: Entry, repo: str) -> None:
    """Show where the entry is that was published last, as long as it is the one in view."""
    shown, done = st.session_state.get(DONE, (None, None))
    if shown != entry.id or done.repo != repo:
        return
    said = "Published" if done.new else "It was there already, file for file"
    st.success(f"{said}: {done.files} files, read back and compared.", icon=":material/check_circle:")
    st.markdown(f"Revision `{done.commit}`  \n[{widgets.plain(done.repo)} on the Hub](<{done.link}>)")
    if entry.has("config.json"):
        st.code(f'keras.saving.load_model("hf://{done.repo}")', language="python")
    gallery = {"source": f"{done.repo}@{done.commit}"}
    st.page_link("pages/explore/gallery.py", label="Open", icon=":material/zoom_in:", query_params=gallery)


def dry_run(entry: Entry, repo: str) -> None:
    """Show exactly what would be sent: every file, and the card."""
    st.header("What will be sent")
    if repo:
        publish.check_names(repo)
    if not widgets.fetch_files([entry], list(entry.manifest.files)):
        return
    files, text, head = prepared(entry, repo or f"your-name/{entry.name}")
    rows = [f"| {widgets.plain(file.path)} | {file.size / 1e3:,.1f}\u00a0kB | `{file.sha256[:8]}` |" for file in files]
    st.markdown("\n".join(["| File | Size | SHA-256 |", "|---|---:|---|", *rows]))
    total = sum(file.size for file in files) / 1e6
    st.caption(
        f"{len(files)} files, {total:.1f} MB, in one commit. The entry here stays as it is: card, curve and manifest "
        "are written for the repository."
    )
    with st.expander("Model card", icon=":material/description:"):
        st.markdown(text)
    with st.expander("Metadata on the Hub", icon=":material/sell:"):
        st.code(head, language="yaml")


@widgets.cached(max_entries=8, spinner="Checking the entry …")
def prepared(entry: Entry, repo: str) -> tuple[list[publish.Upload], str, str]:
    """Check the entry and return its files, its card as harmless Markdown and the card's head."""
    with publish.staged(entry, repo) as copy:
        return publish.uploads(copy), widgets.card_text(copy), card.metadata(copy)


main()
