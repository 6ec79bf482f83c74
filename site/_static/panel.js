// A panel of pictures drawn beforehand: each slider chooses one part of the picture's file name.
document.addEventListener('DOMContentLoaded', () => {
  document.querySelectorAll('[data-panel]').forEach(box => {
    const sliders = [...box.querySelectorAll('input')], picture = box.querySelector('img');
    const said = slider => slider.dataset.values.split(' ')[slider.value];
    const show = () => {
      sliders.forEach(slider => {
        slider.parentElement.querySelector('output').textContent = said(slider);
        slider.setAttribute('aria-valuetext', said(slider));
      });
      picture.src = `${box.dataset.panel}/${sliders.map(slider => slider.value).join('_')}.webp`;
      const places = sliders.map(s => `${s.dataset.label} ${said(s)}`).join(', ');
      picture.alt = `${picture.dataset.alt} Now: ${places}.`;
    };
    sliders.forEach(slider => slider.addEventListener('input', () => {
      picture.removeAttribute('loading');  // a reader moves it, so it is wanted at once
      show();
    }));
    sliders.forEach(slider => {
      slider.parentElement.querySelector('output').textContent = said(slider);
      slider.setAttribute('aria-valuetext', said(slider));
    });
  });
});
