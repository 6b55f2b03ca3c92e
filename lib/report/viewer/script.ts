/** What a viewer page does in the browser. It sets `data-state` of the body to "ready", or "failed" with the reason. */
export const viewerScript = `
const byId = (id) => document.getElementById(id);
const layers = JSON.parse(byId("data").textContent);
const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

function inflated(text) {
  return new Response(new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("gzip")));
}

async function surfaceOf({ low, step, vertices, triangles }) {
  const numbers = new Uint16Array(await (await inflated(vertices)).arrayBuffer());
  const differences = new Int32Array(await (await inflated(triangles)).arrayBuffer());
  let vertex = 0;
  return {
    points: Float32Array.from(numbers, (n, i) => low[i % 3] + step[i % 3] * n),
    triangles: Uint32Array.from(differences, (difference) => vertex += difference),
  };
}

const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/** What lies below the first value is transparent; masks have one colour, maps become brighter. */
function colourMap({ kind, colour }) {
  const [r, g, b] = channels(colour);
  if (kind === "mask") return { R: [r, r], G: [g, g], B: [b, b], A: [0, 255], I: [0, 255] };
  const ramp = (value, end) => [value >> 1, value >> 1, value, end];
  return { R: ramp(r, 255), G: ramp(g, 240), B: ramp(b, 200), A: [0, 255, 255, 255], I: [0, 1, 128, 255] };
}

/** The voxels of a mask with a face towards another class, or towards the end of the grid. */
function shellOf(data, [, nx, ny, nz]) {
  const shell = new Uint8Array(data.length);
  const steps = [1, nx, nx * ny];
  for (let z = 0, n = 0; z < nz; z++) for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++, n++) {
    if (data[n] === 0) continue;
    const inner = [[x, nx], [y, ny], [z, nz]].every(([at, side], axis) =>
      at > 0 && at < side - 1 && data[n - steps[axis]] !== 0 && data[n + steps[axis]] !== 0
    );
    if (!inner) shell[n] = 1;
  }
  return shell;
}

async function start() {
  (0, eval)(await inflated(byId("niivue").textContent).text());
  const { Niivue, NVImage, NVMesh, SLICE_TYPE, SHOW_RENDER } = globalThis.niivue;
  const shared = { dragAndDropEnabled: false, loadingText: "", isResizeCanvas: true, crosshairColor: [1, 1, 1, 0.7] };
  const slices = new Niivue({ ...shared, backColor: [0, 0, 0, 1], crosshairWidth: 0.25, crosshairGap: 4,
    multiplanarShowRender: SHOW_RENDER.NEVER, tileMargin: 4, isOrientationTextVisible: true, isRadiologicalConvention: true });
  const solid = new Niivue({ ...shared, backColor: [0.07, 0.08, 0.09, 1], show3Dcrosshair: true, crosshairWidth: 0.3,
    isOrientCube: true });
  await slices.attachToCanvas(byId("slices"));
  await solid.attachToCanvas(byId("solid"));
  if (!slices.gl || !solid.gl) throw new Error("this browser has no WebGL 2");
  for (const layer of layers) slices.addColormap(layer.name, colourMap(layer));

  const image = (layer, name = layer.name) => NVImage.loadFromBase64({ base64: layer.data, name: name + ".nii.gz",
    colormap: layer.kind === "image" ? "gray" : layer.name, opacity: layer.opacity,
    ...(layer.kind === "mask" ? { cal_min: 0, cal_max: 1 } : layer.kind === "map" ? { cal_min: 0.1, cal_max: 1 } : {}) });
  for (const layer of layers) slices.addVolume(await image(layer));
  // The prediction first and opaque, the label about it as glass.
  const inSolid = layers.filter(({ mesh }) => mesh !== undefined).reverse();
  for (const { name, colour, mesh } of inSolid) {
    const { points, triangles } = await surfaceOf(mesh);
    const rgba = new Uint8Array([...channels(colour), 255]);
    solid.addMesh(new NVMesh(points, triangles, name, rgba, 1, true, solid.gl));
  }

  slices.setSliceType(SLICE_TYPE.MULTIPLANAR);
  solid.setSliceType(SLICE_TYPE.RENDER);
  solid.setRenderAzimuthElevation(120, 12);
  slices.broadcastTo([solid], { "3d": true, "2d": true });

  const values = layers.map((layer, index) => addControls(layer, index, slices, solid, inSolid.indexOf(layer)));
  const voxels = slices.volumes.map(({ img }, index) => ({
    whole: img,
    shell: layers[index].kind === "mask" ? shellOf(img, slices.volumes[index].hdr.dims) : img,
  }));
  const outlines = () => {
    voxels.forEach(({ whole, shell }, index) => slices.volumes[index].img = byId("outlines").checked ? shell : whole);
    slices.updateGLVolume();
  };
  const smooth = () => slices.setInterpolation(!byId("smooth").checked);
  byId("outlines").onchange = outlines;
  byId("smooth").onchange = smooth;
  const planes = [["All", SLICE_TYPE.MULTIPLANAR], ["Axial", SLICE_TYPE.AXIAL], ["Coronal", SLICE_TYPE.CORONAL],
    ["Sagittal", SLICE_TYPE.SAGITTAL]];
  for (const [name, type] of planes) {
    const button = byId("planes").appendChild(document.createElement("button"));
    button.textContent = name;
    button.setAttribute("aria-pressed", String(type === SLICE_TYPE.MULTIPLANAR));
    button.onclick = () => {
      slices.setSliceType(type);
      for (const other of byId("planes").children) other.setAttribute("aria-pressed", String(other === button));
    };
  }
  const show = ({ mm, values: found }) => {
    const [x, y, z] = mm;
    const side = (value, positive, negative) => Math.abs(value).toFixed(1) + " " + (value < 0 ? negative : positive);
    const [i, j, k] = voxelAt(slices.volumes[0].hdr.affine, mm).map(Math.round);
    byId("place").textContent = "Voxel " + [i, j, k].join(", ") + " · " +
      [side(x, "R", "L"), side(y, "A", "P"), side(z, "S", "I")].join(", ") + " mm";
    const [, nx, ny] = slices.volumes[0].hdr.dims;
    // What is drawn of a mask may be its outline alone.
    found.forEach(({ value }, index) => {
      const isMask = layers[index].kind === "mask";
      values[index].textContent = isMask ? voxels[index].whole[(k * ny + j) * nx + i] : Number(value.toPrecision(3));
    });
  };
  slices.onLocationChange = show;
  smooth();
  moveToFirstMask(slices);
  outlines();
  slices.createOnLocationChange();
}

/** A row of the list: shown or not, how opaque, and the value below the cross. */
function addControls({ name, kind, colour, opacity }, index, slices, solid, place) {
  const row = byId("layers").appendChild(document.createElement("label"));
  row.className = "layer";
  const [shown, swatch, title, range, value] = ["input", "span", "span", "input", "span"].map((tag) =>
    row.appendChild(document.createElement(tag))
  );
  Object.assign(shown, { type: "checkbox", checked: true });
  Object.assign(range, { type: "range", min: 0, max: 1, step: 0.05, value: opacity });
  range.setAttribute("aria-label", name + ": opacity");
  swatch.className = "swatch";
  swatch.style.background = kind === "image" ? "linear-gradient(90deg, #000, #fff)" : colour;
  title.textContent = name;
  value.className = "value";
  const update = () => {
    const now = shown.checked ? Number(range.value) : 0;
    slices.setOpacity(index, now);
    if (place >= 0) solid.setMeshProperty(solid.meshes[place].id, "opacity", place > 0 ? 0.4 * now : now);
  };
  update();
  shown.onchange = update;
  range.oninput = update;
  return value;
}

/** The voxel at a place; NiiVue's own counts along the patient's axes, this one along the file's. */
function voxelAt(affine, mm) {
  const column = (c) => [0, 1, 2].map((row) => affine[row][c]);
  const determinant = ([a, b, c]) => a[0] * (b[1] * c[2] - b[2] * c[1]) - b[0] * (a[1] * c[2] - a[2] * c[1]) +
    c[0] * (a[1] * b[2] - a[2] * b[1]);
  const axes = [column(0), column(1), column(2)];
  const step = column(3).map((start, row) => mm[row] - start);
  return axes.map((_, axis) => determinant(axes.with(axis, step)) / determinant(axes));
}

/** The cross goes to the middle of the last mask that is not empty, which is where a reader begins to look. */
function moveToFirstMask(view) {
  for (let index = layers.length - 1; index > 0; index--) {
    if (layers[index].kind !== "mask") continue;
    const volume = view.volumes[index];
    const [, nx, ny, nz] = volume.dimsRAS;
    const data = volume.img2RAS();
    const sum = [0, 0, 0];
    let count = 0;
    for (let z = 0, n = 0; z < nz; z++) for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++, n++) {
      if (data[n] === 0) continue;
      sum[0] += x; sum[1] += y; sum[2] += z;
      count++;
    }
    if (count === 0) continue;
    view.scene.crosshairPos = sum.map((total, axis) => (total / count + 0.5) / [nx, ny, nz][axis]);
    view.drawScene();
    return;
  }
}

start().then(() => document.body.dataset.state = "ready", (error) => {
  document.body.dataset.state = "failed";
  const box = document.querySelector(".view");
  box.className = "view failure";
  box.textContent = "The viewer cannot start: " + error.message;
});
`;
