// A drawing pad of `scale` screen pixels per image pixel; sends the picture, averaged to the image's resolution, after each stroke.
export default function ({ parentElement, data, setStateValue }) {
  const { height, width, channels, ground, ink, size } = data;
  const canvas = parentElement.querySelector("canvas"), tools = parentElement.querySelector(".tools");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const scale = Math.max(4, Math.round(320 / Math.max(height, width)));
  canvas.style.maxWidth = `${size}px`;
  drawn(parentElement);
  const clear = () => {
    pen.fillStyle = ground;
    pen.fillRect(0, 0, canvas.width, canvas.height);
  };
  if (canvas.width !== width * scale || canvas.height !== height * scale) {
    canvas.width = width * scale;
    canvas.height = height * scale;
    clear();
  }
  const colour = tools.querySelector("input");
  colour.parentElement.hidden = channels === 1;
  colour.value = colour.dataset.touched ? colour.value : ink;
  colour.oninput = () => (colour.dataset.touched = "yes");
  const send = () => {
    const { data: fine } = pen.getImageData(0, 0, canvas.width, canvas.height);
    const pixels = new Array(height * width * channels).fill(0);
    for (let y = 0; y < canvas.height; y++)
      for (let x = 0; x < canvas.width; x++)
        for (let c = 0; c < channels; c++)
          pixels[(Math.floor(y / scale) * width + Math.floor(x / scale)) * channels + c] += fine[(y * canvas.width + x) * 4 + c];
    setStateValue("pixels", pixels.map((sum) => Math.round(sum / (scale * scale))));
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  };
  let drawing = false;
  canvas.onpointerdown = (event) => {
    drawing = true;
    canvas.setPointerCapture(event.pointerId);
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = data.pen * scale;
    pen.strokeStyle = channels === 1 ? ink : colour.value;
    pen.beginPath();
    pen.moveTo(...at(event));
    pen.lineTo(...at(event));
    pen.stroke();
  };
  canvas.onpointermove = (event) => {
    if (!drawing) return;
    pen.lineTo(...at(event));
    pen.stroke();
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (drawing) send();
    drawing = false;
  };
  tools.querySelector("button").onclick = () => {
    clear();
    setStateValue("pixels", null);
  };
}
