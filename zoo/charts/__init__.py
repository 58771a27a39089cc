"""Arrays become plotly figures and pictures of curves; no Streamlit."""
