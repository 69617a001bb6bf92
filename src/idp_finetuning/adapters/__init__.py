"""The only code that touches AWS, PDFium and Pillow."""
