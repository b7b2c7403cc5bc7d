// The camera image with the joints drawn over it. Left, right and middle differ in colour and in shape.

const STYLES = {
  left: { fill: '#50a0ff', shape: 'circle' },
  right: { fill: '#ff7850', shape: 'square' },
  middle: { fill: '#ffdc3c', shape: 'triangle' },
};
const SEEN = 0.35; // confidence below which a joint is drawn hollow: occluded, or outside the image

export function sideOf(name) {
  return name.startsWith('left') ? 'left' : name.startsWith('right') ? 'right' : 'middle';
}

export class Overlay {
  constructor(canvas, placeholder) {
    this.canvas = canvas;
    this.placeholder = placeholder;
    this.context = canvas.getContext('2d');
    this.skeleton = null;
    this.joints = null;
    this.bitmap = null;
    this.showImage = true;
    this.decoding = false;
  }

  async setImage(part) {
    if (this.decoding) return; // a slow browser skips images
    this.decoding = true;
    try {
      const bitmap = await createImageBitmap(new Blob([part.payload], { type: 'image/jpeg' }));
      if (this.bitmap) this.bitmap.close();
      this.bitmap = this.showImage ? bitmap : null;
      this.draw();
    } finally {
      this.decoding = false;
    }
  }

  setShown(shown) {
    this.showImage = shown;
    if (!shown && this.bitmap) { this.bitmap.close(); this.bitmap = null; }
    this.draw();
  }

  setJoints(joints) {
    this.joints = joints;
    if (!this.bitmap) this.draw();
  }

  draw() {
    const { canvas, context, joints, bitmap } = this;
    const size = bitmap ? [bitmap.width, bitmap.height] : joints && joints.image_px;
    this.placeholder.hidden = Boolean(size);
    if (joints && joints.positions_m && !size) this.placeholder.textContent = 'No camera image here';
    if (!size) return;
    if (canvas.width !== size[0] || canvas.height !== size[1]) { canvas.width = size[0]; canvas.height = size[1]; }
    context.fillStyle = '#10181e';
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (bitmap) context.drawImage(bitmap, 0, 0);
    if (joints && joints.pixels && this.skeleton) this.drawJoints(joints, canvas.width / joints.image_px[0]);
  }

  drawJoints(joints, scale) {
    const { context, skeleton } = this;
    const points = joints.pixels.map((pixel) => (pixel[0] === null ? null : [pixel[0] * scale, pixel[1] * scale]));
    const width = Math.max(2, this.canvas.width / 260);
    for (const pass of [['#000', width + 2], [null, width]]) {
      for (const [first, second] of skeleton.bones) {
        if (!points[first] || !points[second]) continue;
        context.strokeStyle = pass[0] || STYLES[sideOf(skeleton.names[second])].fill;
        context.lineWidth = pass[1];
        context.beginPath();
        context.moveTo(...points[first]);
        context.lineTo(...points[second]);
        context.stroke();
      }
    }
    points.forEach((point, index) => {
      if (point) this.drawJoint(point, STYLES[sideOf(skeleton.names[index])], joints.confidence[index] >= SEEN, width * 2);
    });
  }

  drawJoint([x, y], style, seen, radius) {
    const { context } = this;
    context.beginPath();
    if (style.shape === 'circle') context.arc(x, y, radius, 0, 2 * Math.PI);
    else if (style.shape === 'square') context.rect(x - radius * 0.9, y - radius * 0.9, radius * 1.8, radius * 1.8);
    else { context.moveTo(x, y - radius * 1.1); context.lineTo(x + radius, y + radius * 0.8); context.lineTo(x - radius, y + radius * 0.8); context.closePath(); }
    context.fillStyle = seen ? style.fill : '#10181e';
    context.fill();
    context.lineWidth = seen ? 1 : 2;
    context.strokeStyle = seen ? '#000' : style.fill;
    context.stroke();
  }
}
