"""Import: a network that somebody else made becomes an entry; what was guessed about it can be corrected."""

import streamlit as st

from zoo import background, widgets
from zoo.entries import Entry, imported
from zoo.errors import ImportFailed
from zoo.settings import hosted
from zoo.sharing import imports
from zoo.sharing.corrections import range_text
from zoo.widgets.import_ import alternatives, download, overrides, roles
from zoo.widgets.translation import translation

TASK, STEPS = "import task", "import steps"
LIMIT = 1800.0  # seconds: downloads and waiting for others included
LATE = f"The import took longer than {LIMIT / 60:.0f} minutes and was given up."
KINDS = ("A file", "The Hub", "This machine")
SUFFIXES = ["h5", "hdf5", "keras", "zip", "json", "onnx", "safetensors", "pt", "pth"]


def main() -> None:
    st.title("Import")
    st.markdown(
        "Autoencoders, GANs, encoders, decoders and generators come in here: made with Keras of any age (`.keras`, "
        "`.h5`, SavedModel, or weights alone), exported as `.onnx`, or as a `state_dict` of PyTorch. Files are read as "
        "data by a process of its own, never run as code."
    )
    left, right = st.columns([2, 3], gap="large")
    with left:
        source = chosen_source()
        options = overrides()
        busy = TASK in st.session_state and not st.session_state[TASK].over
        if st.button("Import", type="primary", icon=":material/input:", disabled=busy):
            begin(source, options)
    with right, widgets.guard():
        waiting()
        digest = st.query_params.get("imported", "")
        found = imported.contents(digest)
        for made, findings in found:
            result(made, digest, findings)
        if digest and not found:
            st.info("This import is no longer kept here; import it again.", icon=":material/info:")
        if not found:
            roles()


def chosen_source() -> str | imports.Upload:
    """Let files be sent or named; visitors of a hosted app name no files of its server."""
    kinds = KINDS[:2] if hosted() else KINDS
    kind = widgets.bound(st.segmented_control, "From", kinds, key="from", default=KINDS[0], required=True)
    if kind == KINDS[0]:
        sent = widgets.uploader("Model", SUFFIXES, widgets.MODEL, key="sent", help="Folders: zip")
        return imports.Upload({file.name: file.content for file in sent})
    asked, shown = ("Repository", "owner/name@v1") if kind == KINDS[1] else ("File or folder", "./model.h5")
    return widgets.bound(st.text_input, asked, key="model", default="", placeholder=shown).strip()


def begin(source: str | imports.Upload, options: dict) -> None:
    """Start the import in the background."""
    st.query_params.pop("imported", None)
    if not (source.files if isinstance(source, imports.Upload) else source):
        st.info("Choose a file or name a repository first.", icon=":material/info:")
        return
    steps = st.session_state[STEPS] = ["Starting"]
    st.session_state[TASK] = background.Task(
        lambda report, cancelled: imports.import_model(source, options, steps.append, cancelled, visitor=True), LIMIT
    )


def waiting() -> None:
    """Show how far the import is; raises what went wrong with it."""
    task = st.session_state.get(TASK)
    if task is None:
        return
    if not task.over:
        with st.status("Importing …", expanded=True) as status:
            line = st.empty()
            st.button("Cancel", on_click=task.cancel, icon=":material/close:")
            while not task.wait(0.2):
                line.markdown(widgets.plain(st.session_state[STEPS][-1]) + " …")
            status.update(state="complete", expanded=False)
    del st.session_state[TASK]
    if task.cancelled:
        st.info("The import was cancelled; nothing was kept.", icon=":material/info:")
    elif failure := task.failure:
        late = isinstance(failure, TimeoutError) or str(failure) == imports.CANCELLED  # by nobody: by the deadline
        raise ImportFailed(LATE) if late else failure
    else:
        st.query_params["imported"] = task.result.digest
        st.rerun()


def result(made: Entry, digest: str, report: dict) -> None:
    """Show the entry, what was guessed about it, and links to it."""
    for warning in report.get("warnings", []):
        st.warning(widgets.plain(warning), icon=":material/warning:")
    widgets.framed_sheet(made, 560)
    widgets.placard(made)
    st.markdown("\n".join(f"- **{widgets.plain(k)}**: {widgets.plain(v)}" for k, v in report.get("roles", {}).items()))
    kept = list(dict.fromkeys([*st.query_params.get_all("source"), f"{imports.SCHEME}{digest}"]))
    here = {"source": kept, "entry": made.id}
    with st.container(horizontal=True):
        st.page_link("pages/explore/gallery.py", label="Open", icon=":material/zoom_in:", query_params=here)
        widgets.page_links(made, source=kept)
        st.page_link("pages/share/publish.py", label="Publish", icon=":material/cloud_upload:", query_params=here)
    ranges = {"makes": "Images that come out hold", "reads": "Images that go in are expected as"}
    lines = [f"{text} {range_text(report[key])}." for key, text in ranges.items() if report.get(key)]
    with st.expander("What was detected", icon=":material/fact_check:", expanded=True):
        st.markdown("\n".join(f"- {widgets.plain(line)}" for line in [*lines, *report.get("guesses", [])]))
    alternatives(report.get("choices", []), made.name)
    if "translate" in made.capabilities:
        translation([made])
    download(made)


main()
