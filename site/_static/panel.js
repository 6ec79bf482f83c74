// A panel of pictures drawn beforehand: each control chooses one part of the picture's file name.
document.addEventListener('DOMContentLoaded', () => {
  document.querySelectorAll('[data-panel]').forEach(box => {
    const controls = [...box.querySelectorAll('input, select')], picture = box.querySelector('img');
    const said = control => control.dataset.values.split('|')[control.value];
    const label = slider => {
      slider.parentElement.querySelector('output').textContent = said(slider);
      slider.setAttribute('aria-valuetext', said(slider));
    };
    const sliders = controls.filter(control => control.type === 'range');
    sliders.forEach(label);
    controls.forEach(control => control.addEventListener('input', () => {
      sliders.forEach(label);
      picture.removeAttribute('loading');  // a reader moves it, so it is wanted at once
      picture.src = `${box.dataset.panel}/${controls.map(c => c.value).join('_')}.webp`;
      const places = controls.map(c => `${c.dataset.label} ${said(c)}`).join(', ');
      picture.alt = `${picture.dataset.alt} Now: ${places}.`;
    }));
  });
});
