for(const table of document.querySelectorAll("table"))if(table.tBodies[0].rows.length>1)[...table.tHead.rows[0].cells].forEach((head,n)=>{
if(table.tBodies[0].rows[0].cells[n].querySelector("svg"))return;
const button=document.createElement("button");button.type="button";button.append(...head.childNodes);head.append(button);
let up=head.className==="r";const key=row=>{const cell=row.cells[n],data=cell.querySelector("data");return data?+data.value:cell.textContent};
button.onclick=()=>{up=!up;const rows=[...table.tBodies[0].rows].sort((a,b)=>{const x=key(a),y=key(b);return (x<y?-1:x>y?1:0)*(up?1:-1)});table.tBodies[0].append(...rows);
for(const other of table.tHead.rows[0].cells)other.removeAttribute("aria-sort");head.setAttribute("aria-sort",up?"ascending":"descending")}});
