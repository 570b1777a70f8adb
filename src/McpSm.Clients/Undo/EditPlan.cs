using System.Text.Json.Nodes;
using McpSm.Clients.Editing;
using McpSm.Clients.Files;

namespace McpSm.Clients.Undo;

/// <summary>
/// Applies edits to the text of a configuration file. If only Mcpsm has changed the file since its adds, they are undone, and those that stay are
/// repeated: thus the last removal restores the file as it was before the first add.
/// </summary>
internal sealed class EditPlan
{
    private readonly ClientDocument _document;
    private readonly List<PlannedAdd> _adds = [];
    private readonly List<UndoAdd> _done = [];
    private readonly List<IReadOnlyList<string>> _containers;
    private string _text;
    private ConfigurationText? _parsed;

    private EditPlan(ClientDocument document, string text, UndoState state)
    {
        _document = document;
        _text = text;
        _containers = [.. state.CreatedContainers];
    }

    /// <summary>Returns the new text, and what there is to undo then.</summary>
    /// <param name="document">The file.</param>
    /// <param name="text">Its text; null if it does not exist.</param>
    /// <param name="state">What Mcpsm added to this text.</param>
    /// <param name="edits">The edits.</param>
    /// <returns>The text, null if the file has to be removed, and its state without the hash.</returns>
    /// <exception cref="ConfigurationSyntaxException">The text does not parse.</exception>
    /// <exception cref="ConfigurationLayoutException">The text cannot be edited.</exception>
    public static (string? Text, UndoState State) Apply(ClientDocument document, string? text, UndoState state, IReadOnlyList<ServerEdit> edits)
    {
        var plan = new EditPlan(document, text ?? "", state);
        if (edits.All(plan.IsDone))
        {
            return (text, state);
        }
        if (edits.All(plan.IsNew))
        {
            plan._done.AddRange(state.Adds);
        }
        else
        {
            plan.Rewind(state.Adds);
        }
        foreach (var edit in edits)
        {
            plan.Apply(edit);
        }
        foreach (var add in plan._adds)
        {
            plan.Add(add);
        }
        var createdFile = state.CreatedFile || text is null;
        return createdFile && plan.Current.IsBare && plan._done.Count == 0
            ? (null, UndoState.Empty)
            : (plan._text, state with { CreatedFile = createdFile, CreatedContainers = [.. plan._containers.Where(plan.Exists)], Adds = plan._done });
    }

    private bool IsDone(ServerEdit edit) => _text == (edit.Value is null
        ? Current.Remove(_document.Container, edit.Name)
        : Current.Set(_document.Container, edit.Name, edit.Value)).Text;

    private bool IsNew(ServerEdit edit) => edit.Value is not null && !Current.GetServers(_document.Container).Any(s => s.Name == edit.Name);

    /// <summary>Undoes the adds, and plans to repeat them.</summary>
    private void Rewind(IReadOnlyList<UndoAdd> adds)
    {
        var text = _text;
        foreach (var add in adds.Reverse())
        {
            var container = ContainerOf(add);
            var insertions = add.Insertions.Select(i => new TextInsertion(i.Start, i.Text, i.Replaced)).ToList();
            if (Current.GetServers(container).LastOrDefault(s => s.Name == add.Name)?.Value is not JsonObject value
                || TextEdit.Undo(text, insertions) is not { } undone)
            {
                // The record does not fit to the text. The adds are kept as they are.
                _adds.Clear();
                return;
            }
            _adds.Insert(0, new(container, add.Name, value));
            text = undone;
        }
        Become(text);
    }

    private void Apply(ServerEdit edit)
    {
        var planned = _adds.FindIndex(a => a.Name == edit.Name && IsSame(a.Container, _document.Container));
        if (planned >= 0)
        {
            _adds.RemoveAt(planned);
            if (edit.Value is not null)
            {
                _adds.Insert(planned, new(_document.Container, edit.Name, edit.Value));
            }
        }
        else if (edit.Value is null)
        {
            Become(Current.Remove(_document.Container, edit.Name).Text);
            RemoveContainers();
        }
        else if (Current.GetServers(_document.Container).Any(s => s.Name == edit.Name))
        {
            Become(Current.Set(_document.Container, edit.Name, edit.Value).Text);
        }
        else
        {
            _adds.Add(new(_document.Container, edit.Name, edit.Value));
        }
    }

    /// <summary>Removes the containers that Mcpsm created and that are empty now, the innermost first.</summary>
    private void RemoveContainers()
    {
        foreach (var path in _containers.AsEnumerable().Reverse().ToList())
        {
            var removed = Current.RemoveEmpty(path).Text;
            if (removed != _text || !Exists(path))
            {
                Become(removed);
                _containers.Remove(path);
            }
        }
    }

    private void Add(PlannedAdd add)
    {
        var path = add.Container.Path;
        var missing = Enumerable.Range(1, path.Count).Select(length => path.Take(length).ToList()).Where(p => !Exists(p)).ToList();
        var edit = Current.Set(add.Container, add.Name, add.Value);
        Become(edit.Text);
        _containers.RemoveAll(c => missing.Exists(m => m.SequenceEqual(c)));
        _containers.AddRange(missing);
        _done.Add(new()
        {
            Container = path,
            IsList = add.Container.Shape == ContainerShape.List,
            Name = add.Name,
            Insertions = [.. edit.Insertions.Select(i => new UndoInsertion { Start = i.Start, Text = i.Text, Replaced = i.Replaced })],
        });
    }

    private bool Exists(IReadOnlyList<string> path) => Current.GetValue([.. path.SkipLast(1)]) is JsonObject parent && parent.ContainsKey(path[^1]);

    private ConfigurationText Current => _parsed ??= ConfigurationText.Parse(_document.Format, _text);

    private void Become(string text) => (_text, _parsed) = (text, text == _text ? _parsed : null);

    private static ServerContainer ContainerOf(UndoAdd add) => new(add.Container, add.IsList ? ContainerShape.List : ContainerShape.Map);

    private static bool IsSame(ServerContainer one, ServerContainer other) => one.Shape == other.Shape && one.Path.SequenceEqual(other.Path);
}
