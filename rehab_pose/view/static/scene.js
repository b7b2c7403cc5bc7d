// The body in space: skin, bones and joints, which one can turn. The camera's frame has x right, y down, z forward.
import {
  BufferAttribute, BufferGeometry, Color, CylinderGeometry, DynamicDrawUsage, Group, HemisphereLight, DirectionalLight,
  InstancedMesh, Matrix4, Mesh, MeshLambertMaterial, OrbitControls, PerspectiveCamera, Scene, SphereGeometry, Vector3,
  WebGLRenderer,
} from './vendor/three.min.js';
import { sideOf } from './overlay.js';

const SIDE_COLOURS = { left: 0x50a0ff, right: 0xff7850, middle: 0xffdc3c };
const FAR_M = 0.8; // when the body has moved this far from the point that is looked at, the view follows
const MAX_BONES = 300;
const BONE_NUMBERS = 18; // a pose (4, 4), length and radius
const TURN = Math.PI / 12;

export class BodyScene {
  constructor(canvas, placeholder) {
    this.canvas = canvas;
    this.placeholder = placeholder;
    this.renderer = new WebGLRenderer({ canvas, antialias: true });
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    this.scene = new Scene();
    this.scene.background = new Color(0x10181e);
    this.camera = new PerspectiveCamera(40, 4 / 3, 0.05, 50);
    this.scene.add(new HemisphereLight(0xffffff, 0x50606a, 1.6));
    const light = new DirectionalLight(0xffffff, 1.6);
    light.position.set(0.6, 1.2, 1.5);
    this.camera.add(light);
    this.scene.add(this.camera);
    this.world = new Group(); // its children are in the camera's frame
    this.world.scale.set(1, -1, -1);
    this.scene.add(this.world);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enablePan = false;
    this.controls.addEventListener('change', () => this.request());
    this.centre = null;
    this.skin = null;
    this.shown = { mesh: true, bones: false, joints: false };
    this.makeBones();
    canvas.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    this.resize();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    if (!width || !height) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.request();
  }

  request() {
    if (this.requested) return;
    this.requested = true;
    requestAnimationFrame(() => { this.requested = false; this.renderer.render(this.scene, this.camera); });
  }

  key(event) {
    const turns = { ArrowLeft: [-TURN, 0], ArrowRight: [TURN, 0], ArrowUp: [0, -TURN], ArrowDown: [0, TURN] };
    if (turns[event.key]) this.turn(...turns[event.key]);
    else if (event.key === '+' || event.key === '-') this.zoom(event.key === '+' ? 0.85 : 1.18);
    else if (event.key === 'Home') this.reset();
    else return;
    event.preventDefault();
  }

  turn(around, over) {
    const offset = this.camera.position.clone().sub(this.controls.target);
    const radius = offset.length();
    const polar = Math.min(Math.max(Math.acos(offset.y / radius) + over, 0.1), Math.PI - 0.1);
    const azimuth = Math.atan2(offset.x, offset.z) + around;
    offset.set(radius * Math.sin(polar) * Math.sin(azimuth), radius * Math.cos(polar), radius * Math.sin(polar) * Math.cos(azimuth));
    this.camera.position.copy(this.controls.target).add(offset);
    this.controls.update();
    this.request();
  }

  zoom(factor) {
    this.camera.position.sub(this.controls.target).multiplyScalar(factor).add(this.controls.target);
    this.controls.update();
    this.request();
  }

  reset() {
    if (!this.centre) return;
    this.controls.target.copy(this.centre);
    this.camera.position.set(0, 0, 0);
    this.camera.position.lerp(this.centre, Math.max(0, 1 - 3.0 / Math.max(this.centre.length(), 3.0)));
    this.controls.update();
    this.request();
  }

  follow(x, y, z) {
    const centre = new Vector3(x, -y, -z);
    const first = this.centre === null;
    if (!first && centre.distanceTo(this.centre) < FAR_M) return;
    const step = first ? null : centre.clone().sub(this.centre);
    this.centre = centre;
    if (first) { this.reset(); return; }
    this.camera.position.add(step);
    this.controls.target.copy(centre);
    this.controls.update();
  }

  setShown(shown) {
    this.shown = shown;
    this.apply();
  }

  apply() {
    if (this.skin) {
      this.skin.visible = this.shown.mesh && this.hasPerson;
      this.skin.material.transparent = this.shown.bones || this.shown.joints;
      this.skin.material.opacity = this.skin.material.transparent ? 0.35 : 1;
      this.skin.material.depthWrite = !this.skin.material.transparent;
      this.skin.material.needsUpdate = true;
    }
    this.bones.visible = this.shown.bones;
    if (this.joints) this.joints.visible = this.shown.joints && this.hasPerson;
    this.request();
  }

  setTopology(part) {
    const bytes = part.payload.slice();
    this.faces = new Uint32Array(bytes.buffer, 0, part.triangles * 3);
    this.skinVertices = 0;
  }

  makeSkin(count) {
    if (this.skin) { this.world.remove(this.skin); this.skin.geometry.dispose(); }
    const geometry = new BufferGeometry();
    for (const name of ['position', 'normal']) {
      geometry.setAttribute(name, new BufferAttribute(new Float32Array(count * 3), 3).setUsage(DynamicDrawUsage));
    }
    geometry.setIndex(new BufferAttribute(this.faces, 1));
    // The world is mirrored twice (y and z), which keeps the triangles' direction.
    this.skin = new Mesh(geometry, new MeshLambertMaterial({ color: 0xd9c3b2 }));
    this.skin.frustumCulled = false;
    this.world.add(this.skin);
    this.skinVertices = count;
    this.apply();
  }

  setMesh(part) {
    const count = part.vertices;
    const had = this.hasPerson;
    this.hasPerson = count > 0;
    this.placeholder.hidden = this.hasPerson || !this.shown.mesh;
    this.placeholder.textContent = 'No person in view';
    if (!count || !this.faces) { if (had) this.apply(); return; }
    if (this.skinVertices !== count) this.makeSkin(count);
    const steps = new Int16Array(part.payload.buffer, part.payload.byteOffset, count * 3);
    const { position, normal } = this.skin.geometry.attributes;
    const [x, y, z] = part.centre_m;
    const size = 1 / part.steps_per_m;
    const out = position.array;
    for (let i = 0; i < count * 3; i += 3) {
      out[i] = x + steps[i] * size; out[i + 1] = y + steps[i + 1] * size; out[i + 2] = z + steps[i + 2] * size;
    }
    computeNormals(out, this.faces, normal.array);
    position.needsUpdate = true;
    normal.needsUpdate = true;
    this.follow(x, y, z);
    if (!had) this.apply(); else this.request();
  }

  makeBones() {
    const shape = new CylinderGeometry(1, 1, 1, 8, 3);
    shape.translate(0, 0.5, 0);
    const place = shape.attributes.position;
    for (let i = 0; i < place.count; i++) { // thinner in the middle, as a long bone is
      const end = Math.abs(place.getY(i) - 0.5) > 0.4 ? 1 : 0.7;
      place.setXYZ(i, place.getX(i) * end, place.getY(i), place.getZ(i) * end);
    }
    shape.computeVertexNormals();
    this.bones = new InstancedMesh(shape, new MeshLambertMaterial({ color: 0xf4ead2 }), MAX_BONES);
    this.bones.frustumCulled = false;
    this.bones.count = 0;
    this.world.add(this.bones);
  }

  setBones(part) {
    const count = Math.min(part.names.length, MAX_BONES);
    this.bones.count = count;
    if (count) {
      const numbers = new Float32Array(part.payload.buffer, part.payload.byteOffset, part.names.length * BONE_NUMBERS);
      const pose = new Matrix4(), size = new Matrix4();
      for (let i = 0; i < count; i++) {
        const start = i * BONE_NUMBERS;
        const length = numbers[start + 16], radius = numbers[start + 17];
        pose.set(...numbers.subarray(start, start + 16)).multiply(size.makeScale(radius, length, radius));
        this.bones.setMatrixAt(i, pose);
      }
      this.bones.instanceMatrix.needsUpdate = true;
    }
    this.request();
  }

  setSkeleton(skeleton) {
    if (this.joints) this.world.remove(this.joints);
    this.joints = new InstancedMesh(new SphereGeometry(0.022, 12, 8), new MeshLambertMaterial({ color: 0xffffff }), skeleton.names.length);
    skeleton.names.forEach((name, index) => this.joints.setColorAt(index, new Color(SIDE_COLOURS[sideOf(name)])));
    this.joints.frustumCulled = false;
    this.world.add(this.joints);
    this.apply();
  }

  setJoints(part) {
    if (!this.joints) return;
    const had = this.joints.visible;
    this.joints.visible = this.shown.joints && Boolean(part.positions_m);
    if (part.positions_m) {
      const pose = new Matrix4();
      part.positions_m.forEach(([x, y, z], index) => {
        if (x === null) pose.makeScale(0, 0, 0); else pose.makeTranslation(x, y, z);
        this.joints.setMatrixAt(index, pose);
      });
      this.joints.instanceMatrix.needsUpdate = true;
      if (!this.shown.mesh) {
        this.placeholder.hidden = true;
        const [x, y, z] = part.positions_m[0];
        if (x !== null) this.follow(x, y, z);
      }
    }
    if (this.joints.visible || had) this.request();
  }
}

function computeNormals(vertices, faces, normals) {
  normals.fill(0);
  for (let f = 0; f < faces.length; f += 3) {
    const a = faces[f] * 3, b = faces[f + 1] * 3, c = faces[f + 2] * 3;
    const px = vertices[b] - vertices[a], py = vertices[b + 1] - vertices[a + 1], pz = vertices[b + 2] - vertices[a + 2];
    const qx = vertices[c] - vertices[a], qy = vertices[c + 1] - vertices[a + 1], qz = vertices[c + 2] - vertices[a + 2];
    const nx = py * qz - pz * qy, ny = pz * qx - px * qz, nz = px * qy - py * qx;
    normals[a] += nx; normals[a + 1] += ny; normals[a + 2] += nz;
    normals[b] += nx; normals[b + 1] += ny; normals[b + 2] += nz;
    normals[c] += nx; normals[c + 1] += ny; normals[c + 2] += nz;
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
    normals[i] /= length; normals[i + 1] /= length; normals[i + 2] /= length;
  }
}
